-- Keeps the good answers. Parameters: fingerprint, model, run id, now.
MERGE INTO enriched.takeaway AS t
USING (
    SELECT
        item_id, CAST(? AS VARCHAR) AS fingerprint, takeaway, input_hash, input_cut,
        CAST(? AS VARCHAR) AS model, CAST(? AS VARCHAR) AS run_id, CAST(? AS TIMESTAMP) AS enriched_at
    FROM judged
    WHERE bad_because IS NULL
) AS s
ON t.item_id = s.item_id AND t.fingerprint = s.fingerprint
WHEN MATCHED THEN UPDATE SET
    takeaway = s.takeaway,
    input_hash = s.input_hash,
    input_cut = s.input_cut,
    model = s.model,
    run_id = s.run_id,
    enriched_at = s.enriched_at
WHEN NOT MATCHED THEN INSERT
    (item_id, fingerprint, takeaway, input_hash, input_cut, model, run_id, enriched_at)
VALUES
    (s.item_id, s.fingerprint, s.takeaway, s.input_hash, s.input_cut, s.model, s.run_id, s.enriched_at)
