-- How many items of a day have an answer to a question. Parameters: day, fingerprint.
SELECT count(*)
FROM enriched.entities AS a
INNER JOIN raw.items AS i ON i.id = a.item_id
WHERE i.day = ? AND a.fingerprint = ?
