-- Items whose article has another key now, follow it. Their content hash stays: nothing was read of them.
MERGE INTO raw.items AS t
USING incoming_1 AS s
ON t.canonical_url = s.alias
WHEN MATCHED THEN UPDATE SET canonical_url = s.canonical_url
