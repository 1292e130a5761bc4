-- The texts that an enrichment is asked about, as a model is given them, of days. Parameters: first day, last day.
WITH worth AS (
    SELECT id, day, title, text, canonical_url
    FROM raw.items
    WHERE day BETWEEN ? AND ?
      AND status = 'ok'
      AND title IS NOT NULL
      AND (type = 'story')
),
parts AS (
    SELECT
        worth.id AS item_id,
        row_number() OVER (PARTITION BY worth.id ORDER BY comments.depth, comments.id) AS place,
        comments.text AS part
    FROM worth
    INNER JOIN raw.comments AS comments
        ON comments.story_id = worth.id AND comments.status = 'ok' AND comments.text IS NOT NULL
)
SELECT worth.day, parts.item_id, left(parts.part, 8000) AS part, parts.place
FROM parts
INNER JOIN worth ON worth.id = parts.item_id
