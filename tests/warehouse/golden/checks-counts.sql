-- How many items were listed on each day that has any. Parameters: first day, last day.
SELECT day, count(*) AS listed
FROM raw.items
WHERE day BETWEEN ? AND ?
  AND coalesce(type, '') <> 'pollopt'
GROUP BY day
ORDER BY day
