-- Parameters: stage, fingerprint.
DELETE FROM ops.dead_letters
WHERE stage = ? AND fingerprint = ? AND key IN (SELECT key FROM (SELECT CAST(item_id AS VARCHAR) AS key FROM judged WHERE bad_because IS NULL) AS those)
