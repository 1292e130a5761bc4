-- Keys of articles that may be one with an article that was read: by key, by what they declare, by the very same text. No
-- text is read here: that of a grown table is long. Parameters: keys, keys, hashes of texts, as many as [1, 1, 1].
SELECT canonical_url
FROM (
    SELECT
        canonical_url, fetched_at, text_hash,
        canonical_url IN (?) OR coalesce(declared_url IN (?), FALSE) AS is_named
    FROM raw.articles
    WHERE status = 'ok'
) AS known
WHERE is_named OR text_hash IN (?)
QUALIFY is_named OR row_number() OVER (PARTITION BY text_hash ORDER BY fetched_at, canonical_url) <= 20
