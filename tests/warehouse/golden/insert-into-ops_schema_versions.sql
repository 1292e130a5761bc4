INSERT INTO ops.schema_versions VALUES (?, ?, ?)
