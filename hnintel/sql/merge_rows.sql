MERGE INTO {{ table }} AS t
USING incoming AS s
ON {% for key in keys %}t.{{ key }} = s.{{ key }}{{ " AND " if not loop.last }}{% endfor %}

WHEN MATCHED{% if rewrite_when %} AND {{ rewrite_when }}{% endif %} THEN UPDATE SET
{% for column in columns if column not in keys %}
    {{ column }} = s.{{ column }}{{ "," if not loop.last }}
{% endfor %}
WHEN NOT MATCHED THEN INSERT ({{ columns | join(", ") }})
VALUES ({% for column in columns %}s.{{ column }}{{ ", " if not loop.last }}{% endfor %})
