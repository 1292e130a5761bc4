SELECT day, stage, run_id, holder, heartbeat_at, expires_at FROM ops.leases WHERE day IN (?, ?) AND stage = ? ORDER BY day, stage, acquired_at, run_id
