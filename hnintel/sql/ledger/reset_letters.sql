-- Parameters: stage, fingerprint.
DELETE FROM ops.dead_letters
WHERE stage = ? AND fingerprint = ? AND key IN (SELECT key FROM {{ source }} AS those)
