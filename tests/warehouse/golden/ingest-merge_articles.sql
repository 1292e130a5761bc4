-- Keeps what was read of articles. Text that is there is never replaced by less: then only the time of the reading is
-- kept. Nor is an article whose text has been let go of, by a reading without any.
MERGE INTO raw.articles AS t
USING incoming_2 AS s
ON t.canonical_url = s.canonical_url
WHEN MATCHED AND length(t.text) > coalesce(length(s.text), 0) THEN UPDATE SET
    fetched_at = s.fetched_at
WHEN MATCHED AND (s.text IS NOT NULL OR t.status <> 'ok') THEN UPDATE SET
    etag = s.etag,
    last_modified = s.last_modified,
    url = s.url,
    status = s.status,
    reason = s.reason,
    http_status = s.http_status,
    content_type = s.content_type,
    title = s.title,
    author = s.author,
    published_on = s.published_on,
    language = s.language,
    text = s.text,
    text_hash = s.text_hash,
    attempts = s.attempts,
    retry_at = s.retry_at,
    description = s.description,
    site_name = s.site_name,
    declared_url = s.declared_url,
    run_id = s.run_id,
    fetched_at = s.fetched_at
WHEN NOT MATCHED THEN INSERT (etag, last_modified, canonical_url, url, status, reason, http_status, content_type, title, author, published_on, language, text, text_hash, attempts, retry_at, description, site_name, declared_url, run_id, fetched_at)
VALUES (s.etag, s.last_modified, s.canonical_url, s.url, s.status, s.reason, s.http_status, s.content_type, s.title, s.author, s.published_on, s.language, s.text, s.text_hash, s.attempts, s.retry_at, s.description, s.site_name, s.declared_url, s.run_id, s.fetched_at)
