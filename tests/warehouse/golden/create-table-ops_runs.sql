CREATE TABLE IF NOT EXISTS ops.runs (
    run_id         VARCHAR NOT NULL PRIMARY KEY,
    day            DATE NOT NULL,
    source         VARCHAR NOT NULL,
    status         VARCHAR NOT NULL,
    started_at     TIMESTAMP NOT NULL,
    finished_at    TIMESTAMP,
    summary        VARCHAR
)
