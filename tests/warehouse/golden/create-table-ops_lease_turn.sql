CREATE TABLE IF NOT EXISTS ops.lease_turn (
    taken          BIGINT NOT NULL
)
