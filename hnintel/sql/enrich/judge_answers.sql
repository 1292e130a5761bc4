-- Reads the columns out of the answers and says of each row why it cannot be taken, if so.
WITH read_out AS (
    SELECT
        item_id,
        input_hash,
        input_cut,
        digest_read,
        digest_written,
        is_undigested,
        input_tokens,
        output_tokens,
        is_counted,
        {{ error }} AS engine_error,
    {% for column in columns %}
    {% if column.nullable %}
        {{ absences[column.name] }} AS absent_{{ column.name }},
    {% endif %}
        {{ values[column.name] }} AS {{ column.name }}{{ "," if not loop.last }}
    {% endfor %}
    FROM counted
)

SELECT
    *,
    CASE
        WHEN is_undigested THEN 'AI_AGG made no text of the many'
        WHEN engine_error IS NOT NULL THEN engine_error
    {% for column in columns %}
        WHEN {{ column.name }} IS NULL{{ " AND NOT absent_" ~ column.name if column.nullable }} THEN '{{ column.name }}: missing, or not a {{ column.kind }}'
    {% if column.one_of %}
        WHEN {{ column.name }} NOT IN ({% for value in column.one_of %}{{ value | literal }}{{ ", " if not loop.last }}{% endfor %}) THEN '{{ column.name }}: none of its values'
    {% endif %}
    {% if column.kind == "text" and not column.one_of and not column.nullable %}
        WHEN {{ dialect.is_blank(column.name) }} THEN '{{ column.name }}: blank'
    {% endif %}
    {% if column.kind == "text" and not column.one_of or column.max_length %}
        WHEN length({{ column.name }}) > {{ column.kept_length }} THEN '{{ column.name }}: longer than {{ column.kept_length }} characters'
    {% endif %}
    {% if column.kind == "list" %}
        WHEN {{ dialect.list_size(column.name) }} > {{ column.kept_items }} THEN '{{ column.name }}: more than {{ column.kept_items }} texts'
        WHEN {{ dialect.has_longer(column.name, column.kept_length) }} THEN '{{ column.name }}: a text longer than {{ column.kept_length }} characters'
    {% endif %}
    {% if column.between %}
        WHEN {{ column.name }} NOT BETWEEN {{ column.between[0] }} AND {{ column.between[1] }} THEN '{{ column.name }}: not between {{ column.between[0] }} and {{ column.between[1] }}'
    {% endif %}
    {% endfor %}
    END AS bad_because
FROM read_out
