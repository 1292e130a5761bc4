CREATE OR REPLACE TEMPORARY TABLE incoming_1 AS SELECT run_id, day, name, blocking, passed, detail, checked_at FROM ops.checks WHERE FALSE
