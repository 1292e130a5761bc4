-- What Snowflake billed, beside what was estimated (hnintel/cost/billing.py). Its views lag, so this is filled in later.
ALTER TABLE ops.ai_usage ADD COLUMN IF NOT EXISTS billed_tokens BIGINT;

ALTER TABLE ops.ai_usage ADD COLUMN IF NOT EXISTS billed_credits DOUBLE;   -- NULL until the account's view says it

-- One row as the account's view has it: a query, function and model, by the hour in which it ran. Told apart by its query
-- tag. What belongs to no row of ops.ai_usage was paid for, and its answers were not kept.
CREATE TABLE IF NOT EXISTS ops.ai_billed (
    query_id       VARCHAR NOT NULL,
    function       VARCHAR NOT NULL,
    model          VARCHAR NOT NULL,   -- '' of a function that takes none
    started_at     TIMESTAMP NOT NULL,
    run_id         VARCHAR NOT NULL,
    day            DATE,
    enrichment     VARCHAR NOT NULL,   -- '' where the tag says none
    fingerprint    VARCHAR NOT NULL,
    tokens         BIGINT NOT NULL,
    credits        DOUBLE NOT NULL,    -- of AI alone, without the warehouse that waited
    complete       BOOLEAN NOT NULL,   -- whether the query had ended when this was read
    PRIMARY KEY (query_id, function, model, started_at)
);

-- Credits of Snowflake warehouses, by what they ran for; without the time in which they idled.
CREATE TABLE IF NOT EXISTS ops.compute_billed (
    run_id         VARCHAR NOT NULL,
    stage          VARCHAR NOT NULL,   -- ingest, enrich, transform
    enrichment     VARCHAR NOT NULL,   -- '' where the tag says none
    warehouse      VARCHAR NOT NULL,
    used_on        DATE NOT NULL,      -- UTC
    day            DATE,               -- the partition that was worked on
    queries        BIGINT NOT NULL,
    credits        DOUBLE NOT NULL,
    PRIMARY KEY (run_id, stage, enrichment, warehouse, used_on)
);
