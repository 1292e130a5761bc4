CREATE TABLE IF NOT EXISTS ops.compute_billed (
    run_id         VARCHAR NOT NULL,
    stage          VARCHAR NOT NULL,
    enrichment     VARCHAR NOT NULL,
    warehouse      VARCHAR NOT NULL,
    used_on        DATE NOT NULL,
    day            DATE,
    queries        BIGINT NOT NULL,
    credits        DOUBLE NOT NULL,
    PRIMARY KEY (run_id, stage, enrichment, warehouse, used_on)
)
