-- Items that were just loaded, with an address that is known to be another one's, are joined to that article.
MERGE INTO raw.items AS t
USING (
    SELECT items.id, keys.canonical_url
    FROM raw.items AS items
    INNER JOIN raw.article_keys AS keys ON keys.alias = items.canonical_url
    WHERE items.id IN (SELECT id FROM incoming_1)
) AS s
ON t.id = s.id
WHEN MATCHED THEN UPDATE SET canonical_url = s.canonical_url
