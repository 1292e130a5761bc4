CREATE TABLE IF NOT EXISTS ops.listings (
    day            DATE NOT NULL,
    source         VARCHAR NOT NULL,
    proof          VARCHAR NOT NULL,
    looked_for     BIGINT NOT NULL,
    reason         VARCHAR NOT NULL,
    listed         BIGINT NOT NULL,
    starts_at      TIMESTAMP NOT NULL,
    ends_at        TIMESTAMP NOT NULL,
    run_id         VARCHAR NOT NULL,
    listed_at      TIMESTAMP NOT NULL,
    PRIMARY KEY (day, source)
)
