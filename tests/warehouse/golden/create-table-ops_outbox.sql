CREATE TABLE IF NOT EXISTS ops.outbox (
    id             VARCHAR NOT NULL PRIMARY KEY,
    event          VARCHAR NOT NULL,
    resource       VARCHAR NOT NULL,
    payload        VARCHAR NOT NULL,
    occurred_at    TIMESTAMP NOT NULL,
    emitted_at     TIMESTAMP
)
