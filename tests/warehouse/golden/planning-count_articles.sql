-- How many articles the items of some days point to. Parameters: first day, last day.
SELECT count(DISTINCT a.canonical_url)
FROM raw.articles AS a
INNER JOIN raw.items AS i ON i.canonical_url = a.canonical_url
WHERE i.day BETWEEN ? AND ?
