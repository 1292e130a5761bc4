CREATE TABLE IF NOT EXISTS ops.ai_billed (
    query_id       VARCHAR NOT NULL,
    function       VARCHAR NOT NULL,
    model          VARCHAR NOT NULL,
    started_at     TIMESTAMP NOT NULL,
    run_id         VARCHAR NOT NULL,
    day            DATE,
    enrichment     VARCHAR NOT NULL,
    fingerprint    VARCHAR NOT NULL,
    tokens         BIGINT NOT NULL,
    credits        DOUBLE NOT NULL,
    complete       BOOLEAN NOT NULL,
    PRIMARY KEY (query_id, function, model, started_at)
)
