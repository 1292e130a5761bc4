MERGE INTO ops.checks AS t
USING incoming_1 AS s
ON t.run_id = s.run_id AND t.day = s.day AND t.name = s.name
WHEN MATCHED THEN UPDATE SET
    blocking = s.blocking,
    passed = s.passed,
    detail = s.detail,
    checked_at = s.checked_at
WHEN NOT MATCHED THEN INSERT (run_id, day, name, blocking, passed, detail, checked_at)
VALUES (s.run_id, s.day, s.name, s.blocking, s.passed, s.detail, s.checked_at)
