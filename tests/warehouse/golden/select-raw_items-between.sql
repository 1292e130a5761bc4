SELECT min(id), max(id) FROM raw.items WHERE day BETWEEN ? AND ?
