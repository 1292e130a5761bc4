-- What AI functions were billed from a time on, of statements whose tag begins so. Parameters: the time, the pattern.
SELECT
    query_id, function_name, coalesce(model_name, '') AS model_name, start_time, query_tag, metrics,
    coalesce(credits, 0) AS credits,
    is_completed
FROM SNOWFLAKE.ACCOUNT_USAGE.CORTEX_AI_FUNCTIONS_USAGE_HISTORY
WHERE start_time >= CAST(? AS TIMESTAMP) AND query_tag LIKE ?
