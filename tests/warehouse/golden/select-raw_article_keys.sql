SELECT alias, canonical_url FROM raw.article_keys WHERE alias IN (?)
