-- The texts that an enrichment is asked about, of the items of a day worth asking about: `whole` has one row an item{% if input.many %},
-- `bounded` one row a part of its text{% endif %}. Begins a WITH. Parameter: day.
WITH worth AS (
    SELECT id, title, text, canonical_url
    FROM raw.items
    WHERE day = ?
      AND status = 'ok'
      AND title IS NOT NULL
      AND ({{ where }})
),

parts AS (
{% include "enrich/inputs/" ~ input.name ~ ".sql" %}

),

{% if input.many %}
-- Where the parts of an item come to the limit together, they are cut.
measured AS (
    SELECT
        item_id,
        place,
        part,
        sum(length(part)) OVER (PARTITION BY item_id ORDER BY place) - length(part) AS ahead,
        sum(length(part)) OVER (PARTITION BY item_id) AS total
    FROM parts
),

bounded AS (
    SELECT item_id, place, left(part, CAST({{ max_chars }} - ahead AS INTEGER)) AS part, total > {{ max_chars }} AS is_cut
    FROM measured
    WHERE ahead < {{ max_chars }}
),

whole AS (
    SELECT item_id, md5({{ dialect.joined("md5(part)", "place") }}) AS input_hash, count_if(is_cut) > 0 AS input_cut
    FROM bounded
    GROUP BY item_id
)
{% else %}
whole AS (
    SELECT
        item_id,
        left(part, {{ max_chars }}) AS input,
        md5(left(part, {{ max_chars }})) AS input_hash,
        length(part) > {{ max_chars }} AS input_cut
    FROM parts
)
{% endif %}
