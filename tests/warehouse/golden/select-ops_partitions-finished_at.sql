SELECT finished_at FROM ops.partitions WHERE day = ? AND stage = ?
