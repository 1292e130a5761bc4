MERGE INTO raw.items AS t
USING incoming_1 AS s
ON t.id = s.id
WHEN MATCHED AND t.content_hash <> s.content_hash AND NOT s.status = 'null' THEN UPDATE SET
    day = s.day,
    type = s.type,
    status = s.status,
    title = s.title,
    url = s.url,
    canonical_url = s.canonical_url,
    domain = s.domain,
    text = s.text,
    author = s.author,
    score = s.score,
    comments = s.comments,
    parent = s.parent,
    posted_at = s.posted_at,
    source = s.source,
    content_hash = s.content_hash,
    run_id = s.run_id,
    loaded_at = s.loaded_at
WHEN NOT MATCHED THEN INSERT (id, day, type, status, title, url, canonical_url, domain, text, author, score, comments, parent, posted_at, source, content_hash, run_id, loaded_at)
VALUES (s.id, s.day, s.type, s.status, s.title, s.url, s.canonical_url, s.domain, s.text, s.author, s.score, s.comments, s.parent, s.posted_at, s.source, s.content_hash, s.run_id, s.loaded_at)
