DELETE FROM raw.articles WHERE canonical_url = ?
