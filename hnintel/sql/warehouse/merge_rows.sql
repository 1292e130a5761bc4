MERGE INTO {{ staged.table }} AS t
USING {{ staged.name }} AS s
ON {% for key in keys %}t.{{ key }} = s.{{ key }}{{ " AND " if not loop.last }}{% endfor %}

WHEN MATCHED{% if rewrite_when %} AND {{ rewrite_when }}{% endif %} THEN UPDATE SET
{% for column in staged.columns if column not in keys %}
    {{ column }} = s.{{ column }}{{ "," if not loop.last }}
{% endfor %}
WHEN NOT MATCHED THEN INSERT ({{ staged.columns | join(", ") }})
VALUES ({% for column in staged.columns %}s.{{ column }}{{ ", " if not loop.last }}{% endfor %})
