-- A run that begins a stage which it has begun already makes no other attempt of it.
-- Parameters: day, stage, status, row count, fingerprint, inputs, source, run id, attempts to add, now, finished at, error.
MERGE INTO ops.partitions AS t
USING (
    SELECT
        CAST(? AS DATE) AS day, CAST(? AS VARCHAR) AS stage, CAST(? AS VARCHAR) AS status, CAST(? AS BIGINT) AS row_count,
        CAST(? AS VARCHAR) AS fingerprint, CAST(? AS VARCHAR) AS inputs, CAST(? AS VARCHAR) AS source,
        CAST(? AS VARCHAR) AS run_id, CAST(? AS BIGINT) AS attempts, CAST(? AS TIMESTAMP) AS started_at,
        CAST(? AS TIMESTAMP) AS finished_at, CAST(? AS VARCHAR) AS error
) AS s
ON t.day = s.day AND t.stage = s.stage
WHEN MATCHED AND s.status = 'running' AND t.status = 'running' AND t.run_id = s.run_id THEN UPDATE SET
    row_count = t.row_count
WHEN MATCHED THEN UPDATE SET
    status = s.status,
    row_count = coalesce(s.row_count, t.row_count),
    fingerprint = coalesce(s.fingerprint, t.fingerprint),
    inputs = coalesce(s.inputs, t.inputs),
    source = coalesce(s.source, t.source),
    run_id = s.run_id,
    attempts = t.attempts + s.attempts,
    started_at = CASE WHEN s.attempts > 0 THEN s.started_at ELSE t.started_at END,
    finished_at = s.finished_at,
    error = s.error
WHEN NOT MATCHED THEN INSERT
    (day, stage, status, row_count, fingerprint, inputs, source, run_id, attempts, started_at, finished_at, error)
VALUES
    (
        s.day, s.stage, s.status, s.row_count, s.fingerprint, s.inputs, s.source, s.run_id, s.attempts, s.started_at,
        s.finished_at, s.error
    )
