-- Takes out of the dead letters what is no longer asked: an earlier wording, an item that has died or is not worth it now.
-- Parameters: stage, day, fingerprint, day.
DELETE FROM ops.dead_letters
WHERE stage = ?
  AND day = ?
  AND (fingerprint <> ?
       OR key NOT IN (
           SELECT CAST(id AS VARCHAR)
           FROM raw.items
           WHERE day = ? AND status = 'ok' AND title IS NOT NULL AND (type IN ('story', 'job', 'poll'))
       ))
