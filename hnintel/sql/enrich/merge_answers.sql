-- Keeps the good answers. Parameters: fingerprint, model, run id, now.
MERGE INTO {{ table }} AS t
USING (
    SELECT
        item_id, CAST(? AS VARCHAR) AS fingerprint, {{ columns | join(", ") }}, input_hash, input_cut,
        CAST(? AS VARCHAR) AS model, CAST(? AS VARCHAR) AS run_id, CAST(? AS TIMESTAMP) AS enriched_at
    FROM judged
    WHERE bad_because IS NULL
) AS s
ON t.item_id = s.item_id AND t.fingerprint = s.fingerprint
{% include "enrich/store_answers.sql" %}
