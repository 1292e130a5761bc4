-- Counts another failure of what is in incoming_3, shaped as dead letters, and takes out what was taken after all, which
-- has no attempts there. A letter whose input was changed, or made due by a person, begins at one again.
MERGE INTO ops.dead_letters AS t
USING incoming_3 AS s
ON t.stage = s.stage AND t.key = s.key AND t.fingerprint = s.fingerprint
WHEN MATCHED AND s.attempts = 0 THEN DELETE
WHEN MATCHED THEN UPDATE SET
    day = s.day,
    reason = s.reason,
    attempts = CASE WHEN t.input_hash IS NOT NULL THEN 1 ELSE t.attempts + 1 END,
    input_hash = NULL,
    last_seen = s.last_seen,
    run_id = s.run_id
WHEN NOT MATCHED AND s.attempts > 0 THEN INSERT
    (stage, key, fingerprint, day, reason, attempts, first_seen, last_seen, run_id)
VALUES
    (s.stage, s.key, s.fingerprint, s.day, s.reason, s.attempts, s.first_seen, s.last_seen, s.run_id)
