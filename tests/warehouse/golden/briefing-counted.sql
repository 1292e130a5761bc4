-- What each section came to. A section whose lines gave no digest has no answer, and was asked about all the same.
-- The answers are in a table, so that none is asked twice to be counted.
SELECT
    digests.section,
    digests.line_tokens,
    digests.digest,
    answered.answer,
    coalesce(coalesce(AI_COUNT_TOKENS('ai_complete', 'llama3.3-70b', digests.digest), CAST(ceil((length(digests.digest)) / 3.5) AS BIGINT)), 0) AS digest_tokens,
    coalesce(coalesce(AI_COUNT_TOKENS('ai_complete', 'a-model', CAST(answered.answer AS VARCHAR)), CAST(ceil((length(CAST(answered.answer AS VARCHAR))) / 3.5) AS BIGINT)), 0) AS answer_tokens
FROM digests
LEFT JOIN answered ON answered.section = digests.section
