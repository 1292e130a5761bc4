-- Writes the lease of a stage where nobody holds it.
-- Parameters: day, stage, run id, holder, now, now, expires at, day, stage.
INSERT INTO ops.leases (day, stage, run_id, holder, acquired_at, heartbeat_at, expires_at)
SELECT CAST(? AS DATE), ?, ?, ?, CAST(? AS TIMESTAMP), CAST(? AS TIMESTAMP), CAST(? AS TIMESTAMP)
WHERE NOT EXISTS (SELECT 1 FROM ops.leases WHERE day = ? AND stage = ?)
