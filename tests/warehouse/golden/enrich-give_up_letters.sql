-- Counts another failure of what is in (SELECT CAST(item_id AS VARCHAR) AS key, bad_because AS reason, input_hash FROM judged WHERE bad_because IS NOT NULL) (key, reason, input_hash). A changed input begins at one again.
-- A reason that begins with the answer was cut off comes again however often it is asked: it counts as the last attempt at once.
-- Parameters: stage, fingerprint, day, now, run id.
MERGE INTO ops.dead_letters AS t
USING (
    SELECT
        CAST(? AS VARCHAR) AS stage, key, CAST(? AS VARCHAR) AS fingerprint, CAST(? AS DATE) AS day, reason, input_hash,
        CAST(? AS TIMESTAMP) AS seen, CAST(? AS VARCHAR) AS run_id,
        CASE WHEN starts_with(reason, 'the answer was cut off') THEN 3 ELSE 1 END AS counts
    FROM (SELECT CAST(item_id AS VARCHAR) AS key, bad_because AS reason, input_hash FROM judged WHERE bad_because IS NOT NULL) AS those
) AS s
ON t.stage = s.stage AND t.key = s.key AND t.fingerprint = s.fingerprint
WHEN MATCHED THEN UPDATE SET
    day = s.day,
    reason = s.reason,
    attempts = CASE WHEN t.input_hash IS DISTINCT FROM s.input_hash THEN s.counts ELSE t.attempts + s.counts END,
    input_hash = s.input_hash,
    last_seen = s.seen,
    run_id = s.run_id
WHEN NOT MATCHED THEN INSERT
    (stage, key, fingerprint, day, reason, input_hash, attempts, first_seen, last_seen, run_id)
VALUES
    (s.stage, s.key, s.fingerprint, s.day, s.reason, s.input_hash, s.counts, s.seen, s.seen, s.run_id)
