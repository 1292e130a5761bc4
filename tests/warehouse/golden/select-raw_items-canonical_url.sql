SELECT id, canonical_url, content_hash, day, type, status, title, url, text, author, parent, posted_at, source, score, comments FROM raw.items WHERE id IN (SELECT id FROM incoming_1)
