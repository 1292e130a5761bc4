-- How many items there are of each day that was read to its end. Parameter: stage of items.
SELECT i.day, count(*)
FROM raw.items AS i
INNER JOIN ops.partitions AS p ON p.day = i.day
WHERE p.stage = ? AND p.status IN ('complete', 'partial')
GROUP BY i.day
