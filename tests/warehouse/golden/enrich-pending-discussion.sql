CREATE OR REPLACE TEMPORARY TABLE pending AS -- Items of a day worth asking about that have no answer to this question for the text as it is now, next chunk;
-- one row a part of an item's text, in their order. Of several with the very same text the first; `reuse.sql` gives the others its answer.
-- Parameters: day, fingerprint, stage, fingerprint, item id to start after, attempts allowed, retried before.
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
known AS (
    SELECT
        whole.*,
        count(CASE WHEN answered.input_hash = whole.input_hash THEN 1 END) OVER (PARTITION BY whole.input_hash) AS answers
    FROM whole
    LEFT JOIN enriched.discussion AS answered
        ON answered.item_id = whole.item_id AND answered.fingerprint = ?
),
due AS (
    SELECT known.*
    FROM known
    LEFT JOIN ops.dead_letters AS dead
        ON dead.stage = ? AND dead.key = CAST(known.item_id AS VARCHAR) AND dead.fingerprint = ?
    WHERE known.item_id > ?
      AND known.answers = 0
      AND (dead.key IS NULL OR dead.input_hash <> known.input_hash OR (dead.attempts < ? AND dead.last_seen < ?))
    QUALIFY row_number() OVER (PARTITION BY known.input_hash ORDER BY known.item_id) = 1
),
-- Not LIMIT: DuckDB 2.0.0 leaves it out where the right side of an outer join is known to be empty.
chunk AS (
    SELECT * FROM due QUALIFY row_number() OVER (ORDER BY item_id) <= 200
)
SELECT chunk.item_id, bounded.part AS input, chunk.input_hash, chunk.input_cut
FROM chunk
INNER JOIN bounded ON bounded.item_id = chunk.item_id
ORDER BY chunk.item_id, bounded.place
