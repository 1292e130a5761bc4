-- A row of the ledger that is about to speak of another source is kept beside it, under its own source's name.
-- Parameters: day, stage, source that the row is to speak of.
MERGE INTO ops.partitions AS t
USING (
    SELECT
        day, stage || '@' || source AS stage, status, row_count, fingerprint, inputs, source, run_id, attempts, started_at,
        finished_at, error
    FROM ops.partitions
    WHERE day = ? AND stage = ? AND source <> ?
) AS s
ON t.day = s.day AND t.stage = s.stage
WHEN MATCHED THEN UPDATE SET
    status = s.status,
    row_count = s.row_count,
    fingerprint = s.fingerprint,
    inputs = s.inputs,
    source = s.source,
    run_id = s.run_id,
    attempts = s.attempts,
    started_at = s.started_at,
    finished_at = s.finished_at,
    error = s.error
WHEN NOT MATCHED THEN INSERT
    (day, stage, status, row_count, fingerprint, inputs, source, run_id, attempts, started_at, finished_at, error)
VALUES
    (
        s.day, s.stage, s.status, s.row_count, s.fingerprint, s.inputs, s.source, s.run_id, s.attempts, s.started_at,
        s.finished_at, s.error
    )
