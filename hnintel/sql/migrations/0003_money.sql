-- What answers cost is kept with what is needed to check it, and what is being asked is on the books before it is.
ALTER TABLE ops.ai_usage ADD COLUMN IF NOT EXISTS currency VARCHAR;    -- of the column credits; NULL before this version: credits

ALTER TABLE ops.ai_usage ADD COLUMN IF NOT EXISTS price_date DATE;     -- from which the price holds that was reckoned with

-- What a question under way may cost: one row a run, day and stage, gone when its answers are in ops.ai_usage. One that a
-- killed run left behind stays and counts, for nobody knows whether it was paid.
CREATE TABLE IF NOT EXISTS ops.ai_reservations (
    run_id         VARCHAR NOT NULL,
    day            DATE NOT NULL,
    stage          VARCHAR NOT NULL,
    credits        DOUBLE NOT NULL,
    currency       VARCHAR NOT NULL,
    reserved_at    TIMESTAMP NOT NULL,
    PRIMARY KEY (run_id, day, stage)
);
