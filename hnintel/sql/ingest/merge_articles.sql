-- Keeps what was read of articles. Text that is there is never replaced by less: then only the time of the reading is
-- kept. Nor is an article whose text has been let go of, by a reading without any.
MERGE INTO {{ staged.table }} AS t
USING {{ staged.name }} AS s
ON t.canonical_url = s.canonical_url
WHEN MATCHED AND length(t.text) > coalesce(length(s.text), 0) THEN UPDATE SET
    fetched_at = s.fetched_at
WHEN MATCHED AND (s.text IS NOT NULL OR t.status <> 'ok') THEN UPDATE SET
{% for column in staged.columns if column != "canonical_url" %}
    {{ column }} = s.{{ column }}{{ "," if not loop.last }}
{% endfor %}
WHEN NOT MATCHED THEN INSERT ({{ staged.columns | join(", ") }})
VALUES ({% for column in staged.columns %}s.{{ column }}{{ ", " if not loop.last }}{% endfor %})
