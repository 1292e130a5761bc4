-- Every dead letter, the oldest first, and whether it is due. An item's letter whose hash was taken away is due at once.
-- A comparison with a column that may be NULL has a default: `due` is never NULL.
-- Parameters: stage of articles, now, attempts of ours, tried before, attempts of enrichments, tried before,
-- stage or NULL, stage or NULL.
SELECT
    letters.stage, letters.key, letters.day, letters.reason, letters.attempts, letters.first_seen, letters.last_seen,
    CASE
        WHEN letters.stage = ? THEN coalesce(articles.status, '') = 'retry_at' AND coalesce(articles.retry_at <= ?, TRUE)
        WHEN letters.stage IN ('items', 'options', 'comments') THEN letters.attempts < ? AND letters.last_seen <= ?
        ELSE coalesce(letters.input_hash, '-') = '' OR (letters.attempts < ? AND letters.last_seen <= ?)
    END AS due
FROM ops.dead_letters AS letters
LEFT JOIN raw.articles AS articles ON articles.canonical_url = letters.key
WHERE ? IS NULL OR letters.stage = ?
ORDER BY letters.first_seen, letters.stage, letters.key
