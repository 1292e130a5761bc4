SELECT id, day, posted_at FROM raw.items WHERE id IN (?, ?, ?, ?)
