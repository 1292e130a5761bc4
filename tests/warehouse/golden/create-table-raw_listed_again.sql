CREATE TABLE IF NOT EXISTS raw.listed_again (
    id             BIGINT NOT NULL,
    day            DATE NOT NULL,
    first_day      DATE NOT NULL,
    run_id         VARCHAR NOT NULL,
    listed_at      TIMESTAMP NOT NULL,
    PRIMARY KEY (id, day)
)
