CREATE TABLE IF NOT EXISTS ops.partitions (
    day            DATE NOT NULL,
    stage          VARCHAR NOT NULL,
    status         VARCHAR NOT NULL,
    row_count      BIGINT,
    fingerprint    VARCHAR,
    run_id         VARCHAR NOT NULL,
    attempts       BIGINT NOT NULL,
    started_at     TIMESTAMP NOT NULL,
    finished_at    TIMESTAMP,
    error          VARCHAR,
    PRIMARY KEY (day, stage)
)
