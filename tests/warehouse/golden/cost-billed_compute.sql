-- What warehouses were billed from a time on for statements whose tag begins so. Parameters: the time, the pattern.
SELECT
    query_tag, warehouse_name, CAST(start_time AS DATE) AS used_on, count(*) AS queries,
    sum(coalesce(credits_attributed_compute, 0) + coalesce(credits_used_query_acceleration, 0)) AS credits
FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_ATTRIBUTION_HISTORY
WHERE start_time >= CAST(? AS TIMESTAMP) AND query_tag LIKE ?
GROUP BY query_tag, warehouse_name, CAST(start_time AS DATE)
