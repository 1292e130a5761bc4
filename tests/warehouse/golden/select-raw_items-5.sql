SELECT id FROM raw.items WHERE type IN ('story', 'job', 'poll') ORDER BY id
