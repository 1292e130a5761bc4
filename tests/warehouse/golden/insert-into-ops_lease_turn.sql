INSERT INTO ops.lease_turn (taken) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM ops.lease_turn)
