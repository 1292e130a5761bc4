-- How many pages that the live items of each day link to came to what. One that is to be tried again has not come to
-- anything yet, and where a source has no pages none was tried. Parameters: first day, last day.
SELECT items.day, articles.status, count(DISTINCT articles.canonical_url) AS pages
FROM raw.items AS items
INNER JOIN raw.articles AS articles ON articles.canonical_url = items.canonical_url
WHERE items.status = 'ok'
  AND items.day BETWEEN ? AND ?
  AND articles.status NOT IN ('retry_at', 'no_pages')
GROUP BY items.day, articles.status
ORDER BY items.day, articles.status
