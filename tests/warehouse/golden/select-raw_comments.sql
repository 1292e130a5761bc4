SELECT id, content_hash FROM raw.comments WHERE id IN (SELECT id FROM incoming_2)
