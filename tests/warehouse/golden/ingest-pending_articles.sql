-- The articles that the live items of a day name and that are to be read: never read, due again, or posted again long
-- after they were read. One whose time to be tried again is not known is due. Parameters: day, now.
SELECT
    items.canonical_url,
    min(items.url) AS url,
    coalesce(max(articles.attempts), 0) AS attempts,
    max(articles.etag) AS etag,
    max(articles.last_modified) AS last_modified
FROM raw.items AS items
LEFT JOIN raw.articles AS articles ON articles.canonical_url = items.canonical_url
WHERE items.day = ?
  AND items.status = 'ok'
  AND items.canonical_url IS NOT NULL
  AND (articles.canonical_url IS NULL
       OR articles.status = 'no_pages'
       OR (articles.status = 'ok' AND items.posted_at > articles.fetched_at + INTERVAL '30 days')
       OR (articles.status = 'retry_at' AND coalesce(articles.retry_at <= ?, TRUE)))
GROUP BY items.canonical_url
ORDER BY items.canonical_url
