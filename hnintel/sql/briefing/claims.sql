-- The digests as claims with their ids, held to a schema.
SELECT section, {{ call }} AS answer
FROM digests
WHERE digest IS NOT NULL
