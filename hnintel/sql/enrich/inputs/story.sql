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
        SELECT item_id, {{ dialect.joined("chr(10) || chr(10) || text", "place") }} AS text
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
