-- The digests as claims with their ids, held to a schema.
SELECT section, lines, line_tokens, digest, {{ call }} AS answer
FROM digests
WHERE digest IS NOT NULL
