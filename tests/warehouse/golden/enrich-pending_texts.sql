-- Gives the items of a day whose text another item has an answer for, and they have not, that answer. Only items between
-- two ids are looked at: hashes are in no order, and to read all of a grown table would take longer than all else.
-- Parameters: day, fingerprint, run id, now, fingerprint, least id, greatest id.
MERGE INTO enriched.discussion AS t
USING (
-- The texts that an enrichment is asked about, of the items of a day worth asking about: `whole` has one row an item,
-- `bounded` one row a part of its text. Begins a WITH. Parameter: day.
WITH worth AS (
    SELECT id, title, text, canonical_url
    FROM raw.items
    WHERE day = ?
      AND status = 'ok'
      AND title IS NOT NULL
      AND (type IN ('story', 'poll') AND comments >= 3)
),
parts AS (
    SELECT
        worth.id AS item_id,
        row_number() OVER (PARTITION BY worth.id ORDER BY comments.depth, comments.id) AS place,
        comments.text AS part
    FROM worth
    INNER JOIN raw.comments AS comments
        ON comments.story_id = worth.id AND comments.status = 'ok' AND comments.text IS NOT NULL
),
-- Where the parts of an item come to the limit together, they are cut.
measured AS (
    SELECT
        item_id,
        place,
        part,
        sum(length(part)) OVER (PARTITION BY item_id ORDER BY place) - length(part) AS ahead,
        sum(length(part)) OVER (PARTITION BY item_id) AS total
    FROM parts
),
bounded AS (
    SELECT item_id, place, left(part, CAST(40000 - ahead AS INTEGER)) AS part, total > 40000 AS is_cut
    FROM measured
    WHERE ahead < 40000
),
whole AS (
    SELECT item_id, md5(LISTAGG(md5(part), '') WITHIN GROUP (ORDER BY place)) AS input_hash, count_if(is_cut) > 0 AS input_cut
    FROM bounded
    GROUP BY item_id
)
,
due AS (
    SELECT whole.item_id, whole.input_hash, whole.input_cut
    FROM whole
    LEFT JOIN enriched.discussion AS own ON own.item_id = whole.item_id AND own.fingerprint = ?
    WHERE own.item_id IS NULL OR own.input_hash <> whole.input_hash
)
    SELECT
        due.item_id, given.fingerprint, given.agreement, given.disagreement, given.tone, due.input_hash, due.input_cut,
        given.model, CAST(? AS VARCHAR) AS run_id, CAST(? AS TIMESTAMP) AS enriched_at
    FROM due
    INNER JOIN enriched.discussion AS given ON given.input_hash = due.input_hash
    WHERE given.fingerprint = ? AND given.item_id BETWEEN ? AND ?
    QUALIFY row_number() OVER (PARTITION BY due.item_id ORDER BY given.item_id) = 1
) AS s
ON t.item_id = s.item_id AND t.fingerprint = s.fingerprint
WHEN MATCHED THEN UPDATE SET
    agreement = s.agreement,
    disagreement = s.disagreement,
    tone = s.tone,
    input_hash = s.input_hash,
    input_cut = s.input_cut,
    model = s.model,
    run_id = s.run_id,
    enriched_at = s.enriched_at
WHEN NOT MATCHED THEN INSERT
    (item_id, fingerprint, agreement, disagreement, tone, input_hash, input_cut, model, run_id, enriched_at)
VALUES
    (s.item_id, s.fingerprint, s.agreement, s.disagreement, s.tone, s.input_hash, s.input_cut, s.model, s.run_id, s.enriched_at)
