-- Items of a day worth asking about that have no answer to this question for the text as it is now, next chunk.
-- Parameters: day, fingerprint, stage, fingerprint, item id to start after, attempts allowed, retried before.
WITH worth AS (
    SELECT id, title, text, canonical_url
    FROM raw.items
    WHERE day = ?
      AND status = 'ok'
      AND title IS NOT NULL
      AND ({{ where }})
),

whole AS (
    SELECT
        worth.id AS item_id,
        worth.title || coalesce(chr(10) || chr(10) || coalesce(articles.text, worth.text), '') AS input
    FROM worth
    LEFT JOIN raw.articles AS articles
        ON articles.canonical_url = worth.canonical_url AND articles.status = 'ok'
),

cut AS (
    SELECT
        item_id,
        left(input, {{ input_max_chars }}) AS input,
        md5(left(input, {{ input_max_chars }})) AS input_hash,
        length(input) > {{ input_max_chars }} AS input_cut
    FROM whole
)

SELECT cut.item_id, cut.input, cut.input_hash, cut.input_cut
FROM cut
LEFT JOIN {{ table }} AS answered
    ON answered.item_id = cut.item_id AND answered.fingerprint = ?
LEFT JOIN ops.dead_letters AS dead
    ON dead.stage = ? AND dead.key = CAST(cut.item_id AS VARCHAR) AND dead.fingerprint = ?
WHERE cut.item_id > ?
  AND (answered.item_id IS NULL OR answered.input_hash <> cut.input_hash)
  AND (dead.key IS NULL OR dead.input_hash <> cut.input_hash OR (dead.attempts < ? AND dead.last_seen < ?))
{% if limit %}
-- Not LIMIT: DuckDB 2.0.0 leaves it out where the right side of an outer join is known to be empty.
QUALIFY row_number() OVER (ORDER BY cut.item_id) <= {{ limit }}
{% endif %}
ORDER BY cut.item_id
