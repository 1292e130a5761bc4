-- What was known as another address of an article whose key is given up now, is an address of the article that has it.
MERGE INTO raw.article_keys AS t
USING incoming_1 AS s
ON t.canonical_url = s.alias
WHEN MATCHED THEN UPDATE SET canonical_url = s.canonical_url
