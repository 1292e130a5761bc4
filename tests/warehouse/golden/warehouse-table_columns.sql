-- Every column of every table, not of the views, in some schemas. Parameters: their names, 3 of them.
SELECT lower(c.table_schema) || '.' || lower(c.table_name), lower(c.column_name)
FROM information_schema.columns AS c
INNER JOIN information_schema.tables AS t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
WHERE
    t.table_type = 'BASE TABLE'
    AND lower(c.table_schema) IN (?, ?, ?)
ORDER BY 1, c.ordinal_position
