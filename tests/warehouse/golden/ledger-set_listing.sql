-- Records the last listing of a day from a source. Parameters: day, source, proof, looked for, reason, listed, starts at,
-- ends at, run id, now.
MERGE INTO ops.listings AS t
USING (
    SELECT
        CAST(? AS DATE) AS day, CAST(? AS VARCHAR) AS source, CAST(? AS VARCHAR) AS proof, CAST(? AS BIGINT) AS looked_for,
        CAST(? AS VARCHAR) AS reason, CAST(? AS BIGINT) AS listed, CAST(? AS TIMESTAMP) AS starts_at,
        CAST(? AS TIMESTAMP) AS ends_at, CAST(? AS VARCHAR) AS run_id, CAST(? AS TIMESTAMP) AS listed_at
) AS s
ON t.day = s.day AND t.source = s.source
WHEN MATCHED THEN UPDATE SET
    proof = s.proof,
    looked_for = s.looked_for,
    reason = s.reason,
    listed = s.listed,
    starts_at = s.starts_at,
    ends_at = s.ends_at,
    run_id = s.run_id,
    listed_at = s.listed_at
WHEN NOT MATCHED THEN INSERT
    (day, source, proof, looked_for, reason, listed, starts_at, ends_at, run_id, listed_at)
VALUES
    (
        s.day, s.source, s.proof, s.looked_for, s.reason, s.listed, s.starts_at, s.ends_at, s.run_id, s.listed_at
    )
