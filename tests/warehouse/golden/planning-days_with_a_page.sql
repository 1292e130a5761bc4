-- The days of a source whose page was published.
-- Parameters: stage of items, stage of pages, source, source, first day.
SELECT p.day
FROM ops.partitions AS p
INNER JOIN ops.partitions AS r ON r.day = p.day AND r.stage = ?
WHERE p.stage = ? AND p.status IN ('complete', 'partial') AND coalesce(r.source, ?) = ? AND p.day >= ?
