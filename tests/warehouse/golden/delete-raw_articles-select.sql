DELETE FROM raw.articles WHERE canonical_url IN (SELECT alias FROM incoming_1)
