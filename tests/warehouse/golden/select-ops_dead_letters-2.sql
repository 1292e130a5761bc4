SELECT count(*) FROM ops.dead_letters WHERE stage = ? AND fingerprint = ? AND day = ?
