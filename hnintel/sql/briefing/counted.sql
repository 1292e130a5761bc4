-- What each section came to. A section whose lines gave no digest has no answer, and was asked about all the same.
-- The answers are in a table, so that none is asked twice to be counted.
SELECT
    digests.section,
    digests.line_tokens,
    digests.digest,
    answered.answer,
    coalesce({{ tokens('digests.digest') }}, 0) AS digest_tokens,
    coalesce({{ tokens('CAST(answered.answer AS VARCHAR)', model) }}, 0) AS answer_tokens
FROM digests
LEFT JOIN answered ON answered.section = digests.section
