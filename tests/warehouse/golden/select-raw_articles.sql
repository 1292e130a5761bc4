SELECT canonical_url FROM raw.articles WHERE text IS NOT NULL AND canonical_url IN (?)
