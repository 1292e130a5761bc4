-- What was asked and answered, and about how many tokens that was. The answers are in a table, so none is asked twice.
SELECT
    item_id,
    input_hash,
    input_cut,
    answer,
    AI_COUNT_TOKENS('{{ function | lower }}', {{ overhead | literal }} || input) AS input_tokens,
    AI_COUNT_TOKENS('{{ function | lower }}', CAST(answer AS VARCHAR)) AS output_tokens
FROM asked
