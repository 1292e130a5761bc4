-- Appends what is in incoming_1 where its score or count differs from the item's last snapshot, or it has none.
-- Parameters: now, run id.
INSERT INTO raw.item_snapshots (id, taken_at, score, comments, rank, run_id)
SELECT s.id, CAST(? AS TIMESTAMP), s.score, s.comments, NULL, ?
FROM incoming_1 AS s
LEFT JOIN (
    SELECT id, score, comments
    FROM raw.item_snapshots
    WHERE id IN (SELECT id FROM incoming_1)
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY taken_at DESC) = 1
) AS last ON last.id = s.id
WHERE (s.score IS NOT NULL OR s.comments IS NOT NULL)
  AND (last.id IS NULL
       OR last.score IS DISTINCT FROM s.score
       OR last.comments IS DISTINCT FROM s.comments)
