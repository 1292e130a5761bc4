-- The digests as claims with their ids, held to a schema.
SELECT section, AI_COMPLETE('a-model', digest, return_error_details => TRUE) AS answer
FROM digests
WHERE digest IS NOT NULL
