-- The runs that this database has: of the ledger, and of what was asked outside of a day's run.
SELECT run_id FROM ops.runs
UNION
SELECT run_id FROM ops.ai_usage
