-- How many live stories, jobs and polls each earlier day has that was read to its end from a source.
-- Parameters: name of the source, stage of items, first day, last day.
SELECT items.day, count(*) AS stories
FROM raw.items AS items
INNER JOIN ops.partitions AS readings ON readings.day = items.day
WHERE items.source = ?
  AND items.status = 'ok'
  AND coalesce(items.type, '') <> 'pollopt'
  AND readings.stage = ?
  AND readings.status IN ('complete', 'partial')
  AND items.day BETWEEN ? AND ?
GROUP BY items.day
ORDER BY items.day
