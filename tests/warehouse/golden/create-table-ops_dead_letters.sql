CREATE TABLE IF NOT EXISTS ops.dead_letters (
    stage          VARCHAR NOT NULL,
    key            VARCHAR NOT NULL,
    fingerprint    VARCHAR NOT NULL,
    day            DATE NOT NULL,
    reason         VARCHAR NOT NULL,
    input_hash     VARCHAR,
    attempts       BIGINT NOT NULL,
    first_seen     TIMESTAMP NOT NULL,
    last_seen      TIMESTAMP NOT NULL,
    run_id         VARCHAR NOT NULL,
    PRIMARY KEY (stage, key, fingerprint)
)
