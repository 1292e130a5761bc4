MERGE INTO raw.comments AS t
USING incoming_2 AS s
ON t.id = s.id
WHEN MATCHED AND t.content_hash <> s.content_hash AND NOT s.status = 'null' THEN UPDATE SET
    story_id = s.story_id,
    parent = s.parent,
    depth = s.depth,
    status = s.status,
    text = s.text,
    author = s.author,
    posted_at = s.posted_at,
    content_hash = s.content_hash,
    run_id = s.run_id,
    loaded_at = s.loaded_at
WHEN NOT MATCHED THEN INSERT (id, story_id, parent, depth, status, text, author, posted_at, content_hash, run_id, loaded_at)
VALUES (s.id, s.story_id, s.parent, s.depth, s.status, s.text, s.author, s.posted_at, s.content_hash, s.run_id, s.loaded_at)
