    SELECT
        worth.id AS item_id,
        worth.title || coalesce(chr(10) || chr(10) || coalesce(articles.text, worth.text), '') AS part
    FROM worth
    LEFT JOIN raw.articles AS articles
        ON articles.canonical_url = worth.canonical_url AND articles.status = 'ok'
