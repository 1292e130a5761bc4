SELECT id FROM raw.items WHERE type IN ('story', 'poll') AND comments >= 3 ORDER BY id
