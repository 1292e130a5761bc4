CREATE OR REPLACE TEMPORARY TABLE pending AS -- Items of a day worth asking about that have no answer to this question for the text as it is now, next chunk. Of several with the very same text the first; `reuse.sql` gives the others its answer.
-- Parameters: day, fingerprint, stage, fingerprint, item id to start after, attempts allowed, retried before.
-- The texts that an enrichment is asked about, of the items of a day worth asking about: `whole` has one row an item. Begins a WITH. Parameter: day.
WITH worth AS (
    SELECT id, title, text, canonical_url
    FROM raw.items
    WHERE day = ?
      AND status = 'ok'
      AND title IS NOT NULL
      AND (type IN ('story', 'job', 'poll'))
),
parts AS (
    SELECT
        worth.id AS item_id,
        worth.title || coalesce(chr(10) || chr(10) || coalesce(articles.text, worth.text), '') AS part
    FROM worth
    LEFT JOIN raw.articles AS articles
        ON articles.canonical_url = worth.canonical_url AND articles.status = 'ok'
),
whole AS (
    SELECT
        item_id,
        left(part, 8000) AS input,
        md5(left(part, 8000)) AS input_hash,
        length(part) > 8000 AS input_cut
    FROM parts
)
,
known AS (
    SELECT
        whole.*,
        count(CASE WHEN answered.input_hash = whole.input_hash THEN 1 END) OVER (PARTITION BY whole.input_hash) AS answers
    FROM whole
    LEFT JOIN enriched.entities AS answered
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
SELECT item_id, input, input_hash, input_cut
FROM chunk
ORDER BY item_id
