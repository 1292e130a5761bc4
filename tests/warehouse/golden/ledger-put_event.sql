-- A fact that is in the outbox stays as it is there.
-- Parameters: id, event, resource, payload, now.
MERGE INTO ops.outbox AS t
USING (
    SELECT
        CAST(? AS VARCHAR) AS id, CAST(? AS VARCHAR) AS event, CAST(? AS VARCHAR) AS resource,
        CAST(? AS VARCHAR) AS payload, CAST(? AS TIMESTAMP) AS occurred_at
) AS s
ON t.id = s.id
WHEN NOT MATCHED THEN INSERT (id, event, resource, payload, occurred_at)
VALUES (s.id, s.event, s.resource, s.payload, s.occurred_at)
