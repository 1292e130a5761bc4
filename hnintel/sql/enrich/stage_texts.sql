-- The texts that an enrichment is asked about, as a model is given them, of days. Parameters: first day, last day.
WITH worth AS (
    SELECT id, day, title, text, canonical_url
    FROM raw.items
    WHERE day BETWEEN ? AND ?
      AND status = 'ok'
      AND title IS NOT NULL
      AND ({{ where }})
),

parts AS (
{% include "enrich/inputs/" ~ input.name ~ ".sql" %}

)

SELECT worth.day, parts.item_id, left(parts.part, {{ max_chars }}) AS part{% if input.many %}, parts.place{% endif %}

FROM parts
INNER JOIN worth ON worth.id = parts.item_id
