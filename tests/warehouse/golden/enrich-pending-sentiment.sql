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
    -- Where a site sent a wall in place of the article, what the page says of the article and the first comments stand in
    -- for it. A description that another page of the site has too is the site's, and left out.
    WITH walled AS (
        SELECT worth.id AS item_id, worth.text, articles.canonical_url, articles.description
        FROM worth
        INNER JOIN raw.articles AS articles
            ON articles.canonical_url = worth.canonical_url AND articles.status = 'walled'
    ),
    shared AS (
        SELECT DISTINCT walled.canonical_url
        FROM walled
        INNER JOIN raw.articles AS other
            ON other.description = walled.description
           AND split_part(other.canonical_url, '/', 3) = split_part(walled.canonical_url, '/', 3)
        WHERE other.canonical_url <> walled.canonical_url
    ),
    early AS (
        SELECT comments.story_id AS item_id, comments.id, comments.text
        FROM walled
        INNER JOIN raw.comments AS comments
            ON comments.story_id = walled.item_id AND comments.depth = 1
           AND comments.status = 'ok' AND comments.text IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY comments.story_id ORDER BY comments.id) <= 10
    ),
    said AS (
        SELECT walled.item_id, 0 AS place, walled.description AS text
        FROM walled
        LEFT JOIN shared ON shared.canonical_url = walled.canonical_url
        WHERE shared.canonical_url IS NULL AND walled.description IS NOT NULL
        UNION ALL
        SELECT item_id, 1, text FROM walled WHERE text IS NOT NULL
        UNION ALL
        SELECT item_id, id, 'Comment: ' || left(text, 1000) FROM early
    ),
    around AS (
        SELECT item_id, LISTAGG(chr(10) || chr(10) || text, '') WITHIN GROUP (ORDER BY place) AS text
        FROM said
        GROUP BY item_id
    )
    SELECT
        worth.id AS item_id,
        worth.title || coalesce(chr(10) || chr(10) || articles.text, around.text, chr(10) || chr(10) || worth.text, '') AS part
    FROM worth
    LEFT JOIN raw.articles AS articles
        ON articles.canonical_url = worth.canonical_url AND articles.status = 'ok'
    LEFT JOIN around ON around.item_id = worth.id
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
    LEFT JOIN enriched.sentiment AS answered
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
