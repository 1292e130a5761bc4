-- Who is at work on what: one row a stage of a day and run, kept alive by its holder and gone when the work is done.
CREATE TABLE IF NOT EXISTS ops.leases (
    day            DATE NOT NULL,
    stage          VARCHAR NOT NULL,
    run_id         VARCHAR NOT NULL,
    holder         VARCHAR NOT NULL,   -- the process: host, process space, number, start
    acquired_at    TIMESTAMP NOT NULL,
    heartbeat_at   TIMESTAMP NOT NULL,
    expires_at     TIMESTAMP NOT NULL, -- from then on another run may take it over
    PRIMARY KEY (day, stage)
);
