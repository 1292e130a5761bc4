SELECT run_id, status FROM ops.partitions WHERE day = ? AND stage = ? AND run_id <> ?
