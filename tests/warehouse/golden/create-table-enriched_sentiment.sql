CREATE TABLE IF NOT EXISTS enriched.sentiment (
    item_id       BIGINT NOT NULL,
    fingerprint   VARCHAR NOT NULL,
    sentiment TEXT,
    input_hash    VARCHAR NOT NULL,
    input_cut     BOOLEAN NOT NULL,
    model         VARCHAR NOT NULL,
    run_id        VARCHAR NOT NULL,
    enriched_at   TIMESTAMP NOT NULL,
    PRIMARY KEY (item_id, fingerprint)
)
