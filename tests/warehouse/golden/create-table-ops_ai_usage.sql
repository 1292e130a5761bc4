CREATE TABLE IF NOT EXISTS ops.ai_usage (
    run_id         VARCHAR NOT NULL,
    day            DATE NOT NULL,
    enrichment     VARCHAR NOT NULL,
    fingerprint    VARCHAR NOT NULL,
    function       VARCHAR NOT NULL,
    model          VARCHAR NOT NULL,
    calls          BIGINT NOT NULL,
    input_tokens   BIGINT NOT NULL,
    output_tokens  BIGINT NOT NULL,
    counting       VARCHAR NOT NULL,
    credits        DOUBLE NOT NULL,
    asked_at       TIMESTAMP NOT NULL
)
