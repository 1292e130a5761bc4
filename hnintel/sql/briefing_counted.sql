-- The answers are in a table, so that none is asked twice to be counted.
SELECT
    section,
    lines,
    answer,
    line_tokens,
    AI_COUNT_TOKENS('ai_agg', digest) AS digest_tokens,
    AI_COUNT_TOKENS('ai_complete', CAST(answer AS VARCHAR)) AS answer_tokens
FROM answered
