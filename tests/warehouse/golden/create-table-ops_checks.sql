CREATE TABLE IF NOT EXISTS ops.checks (
    run_id         VARCHAR NOT NULL,
    day            DATE NOT NULL,
    name           VARCHAR NOT NULL,
    blocking       BOOLEAN NOT NULL,
    passed         BOOLEAN NOT NULL,
    detail         VARCHAR,
    checked_at     TIMESTAMP NOT NULL
)
