CREATE OR REPLACE TEMPORARY TABLE incoming_1 AS SELECT stage, key, reason, attempts, fingerprint, day, first_seen, last_seen, run_id FROM ops.dead_letters WHERE FALSE
