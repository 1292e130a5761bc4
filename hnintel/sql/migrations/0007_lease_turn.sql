-- Whose turn it is to take a lease: one row. Who changes it has everybody else wait until the end of the transaction;
-- Snowflake holds no primary key, and has two that insert the same lease at once both believe that they have it.
CREATE TABLE IF NOT EXISTS ops.lease_turn (
    taken          BIGINT NOT NULL    -- how often a lease was asked for
);

INSERT INTO ops.lease_turn (taken) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM ops.lease_turn);
