SELECT DISTINCT stage FROM ops.dead_letters WHERE fingerprint = ''
