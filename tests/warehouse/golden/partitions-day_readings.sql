-- The last reading of each day from a source: when it began, and whether it came to its end.
-- Parameters: stage of items, name of the source's own row of it, source.
SELECT p.day, p.started_at, p.status IN ('complete', 'partial')
FROM ops.partitions AS p
LEFT JOIN ops.runs AS r ON r.run_id = p.run_id
WHERE p.stage IN (?, ?) AND coalesce(p.source, r.source) = ?
