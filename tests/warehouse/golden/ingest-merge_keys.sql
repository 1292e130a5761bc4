-- Records addresses of articles that have another key.
MERGE INTO raw.article_keys AS t
USING incoming_1 AS s
ON t.alias = s.alias
WHEN MATCHED THEN UPDATE SET canonical_url = s.canonical_url, run_id = s.run_id, loaded_at = s.loaded_at
WHEN NOT MATCHED THEN INSERT (alias, canonical_url, run_id, loaded_at)
VALUES (s.alias, s.canonical_url, s.run_id, s.loaded_at)
