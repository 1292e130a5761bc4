-- Items of a day worth asking about that have no answer to this question for the text as it is now, next chunk{% if input.many %};
-- one row a part of an item's text, in their order{% endif %}.
-- Parameters: day, fingerprint, stage, fingerprint, item id to start after, attempts allowed, retried before.
WITH worth AS (
    SELECT id, title, text, canonical_url
    FROM raw.items
    WHERE day = ?
      AND status = 'ok'
      AND title IS NOT NULL
      AND ({{ where }})
),

parts AS (
{% include "inputs/" ~ input.name ~ ".sql" %}

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
),
{% else %}
whole AS (
    SELECT
        item_id,
        left(part, {{ max_chars }}) AS input,
        md5(left(part, {{ max_chars }})) AS input_hash,
        length(part) > {{ max_chars }} AS input_cut
    FROM parts
),
{% endif %}

due AS (
    SELECT whole.*
    FROM whole
    LEFT JOIN {{ table }} AS answered
        ON answered.item_id = whole.item_id AND answered.fingerprint = ?
    LEFT JOIN ops.dead_letters AS dead
        ON dead.stage = ? AND dead.key = CAST(whole.item_id AS VARCHAR) AND dead.fingerprint = ?
    WHERE whole.item_id > ?
      AND (answered.item_id IS NULL OR answered.input_hash <> whole.input_hash)
      AND (dead.key IS NULL OR dead.input_hash <> whole.input_hash OR (dead.attempts < ? AND dead.last_seen < ?))
{% if limit %}
    -- Not LIMIT: DuckDB 2.0.0 leaves it out where the right side of an outer join is known to be empty.
    QUALIFY row_number() OVER (ORDER BY whole.item_id) <= {{ limit }}
{% endif %}
)

{% if input.many %}
SELECT due.item_id, bounded.part AS input, due.input_hash, due.input_cut
FROM due
INNER JOIN bounded ON bounded.item_id = due.item_id
ORDER BY due.item_id, bounded.place
{% else %}
SELECT item_id, input, input_hash, input_cut
FROM due
ORDER BY item_id
{% endif %}
