CREATE TABLE IF NOT EXISTS ops.ai_reservations (
    run_id         VARCHAR NOT NULL,
    day            DATE NOT NULL,
    stage          VARCHAR NOT NULL,
    credits        DOUBLE NOT NULL,
    currency       VARCHAR NOT NULL,
    reserved_at    TIMESTAMP NOT NULL,
    PRIMARY KEY (run_id, day, stage)
)
