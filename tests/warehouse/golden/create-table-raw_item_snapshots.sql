CREATE TABLE IF NOT EXISTS raw.item_snapshots (
    id             BIGINT NOT NULL,
    taken_at       TIMESTAMP NOT NULL,
    score          BIGINT,
    comments       BIGINT,
    rank           BIGINT,
    run_id         VARCHAR NOT NULL,
    PRIMARY KEY (id, taken_at)
)
