DELETE FROM ops.leases WHERE day = ? AND stage = ? AND run_id = ?
