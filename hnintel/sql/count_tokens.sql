-- What was asked and answered, and how many tokens that was: as whoever is paid counted them, else about.
-- The answers are in a table, so none is asked twice. `usage` reads what was counted; without it all is estimated.
{% set counted = usage | default({"input": "NULL", "output": "NULL"}) %}
SELECT
    item_id,
    input_hash,
    input_cut,
    answer,
    digest_read,
    CASE WHEN digest_read > 0 THEN coalesce(AI_COUNT_TOKENS('ai_agg', input), 0) ELSE 0 END AS digest_written,
    coalesce({{ counted.input }}, AI_COUNT_TOKENS('{{ function | lower }}', {{ overhead | literal }} || input)) AS input_tokens,
    coalesce({{ counted.output }}, AI_COUNT_TOKENS('{{ function | lower }}', CAST(answer AS VARCHAR))) AS output_tokens,
    {{ counted.input }} IS NOT NULL AND {{ counted.output }} IS NOT NULL AS is_counted
FROM asked
