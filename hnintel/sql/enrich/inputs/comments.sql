    SELECT
        worth.id AS item_id,
        row_number() OVER (PARTITION BY worth.id ORDER BY comments.depth, comments.id) AS place,
        comments.text AS part
    FROM worth
    INNER JOIN raw.comments AS comments
        ON comments.story_id = worth.id AND comments.status = 'ok' AND comments.text IS NOT NULL
