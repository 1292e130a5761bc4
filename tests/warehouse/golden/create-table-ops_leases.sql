CREATE TABLE IF NOT EXISTS ops.leases (
    day            DATE NOT NULL,
    stage          VARCHAR NOT NULL,
    run_id         VARCHAR NOT NULL,
    holder         VARCHAR NOT NULL,
    acquired_at    TIMESTAMP NOT NULL,
    heartbeat_at   TIMESTAMP NOT NULL,
    expires_at     TIMESTAMP NOT NULL,
    PRIMARY KEY (day, stage)
)
