CREATE TABLE IF NOT EXISTS enriched.briefings (
    day            DATE NOT NULL,
    fingerprint    VARCHAR NOT NULL,
    input_hash     VARCHAR NOT NULL,
    claims         VARCHAR NOT NULL,
    stories        BIGINT NOT NULL,
    text           VARCHAR NOT NULL,
    model          VARCHAR NOT NULL,
    run_id         VARCHAR NOT NULL,
    written_at     TIMESTAMP NOT NULL,
    PRIMARY KEY (day, fingerprint)
)
