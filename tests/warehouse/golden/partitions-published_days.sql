-- The days whose page was published, the newest first, and when the last reading of their items began.
-- Parameters: stage of pages, stage of items.
SELECT p.day, r.started_at
FROM ops.partitions AS p
INNER JOIN ops.partitions AS r ON r.day = p.day
WHERE p.stage = ? AND p.status IN ('complete', 'partial') AND r.stage = ?
ORDER BY p.day DESC
