-- Items of a day worth asking about that have no answer to this question for the text as it is now, next chunk{% if input.many %};
-- one row a part of an item's text, in their order{% endif %}. Of several with the very same text the first; `reuse.sql` gives the others its answer.
-- Parameters: day, fingerprint, stage, fingerprint, item id to start after, attempts allowed, retried before.
{% include "enrich/pending_texts.sql" %},

known AS (
    SELECT
        whole.*,
        count(CASE WHEN answered.input_hash = whole.input_hash THEN 1 END) OVER (PARTITION BY whole.input_hash) AS answers
    FROM whole
    LEFT JOIN {{ table }} AS answered
        ON answered.item_id = whole.item_id AND answered.fingerprint = ?
),

due AS (
    SELECT known.*
    FROM known
    LEFT JOIN ops.dead_letters AS dead
        ON dead.stage = ? AND dead.key = CAST(known.item_id AS VARCHAR) AND dead.fingerprint = ?
    WHERE known.item_id > ?
      AND known.answers = 0
      AND (dead.key IS NULL OR dead.input_hash <> known.input_hash OR (dead.attempts < ? AND dead.last_seen < ?))
    QUALIFY row_number() OVER (PARTITION BY known.input_hash ORDER BY known.item_id) = 1
){% if limit %},

-- Not LIMIT: DuckDB 2.0.0 leaves it out where the right side of an outer join is known to be empty.
chunk AS (
    SELECT * FROM due QUALIFY row_number() OVER (ORDER BY item_id) <= {{ limit }}
){% endif %}


{% set asked = "chunk" if limit else "due" %}
{% if input.many %}
SELECT {{ asked }}.item_id, bounded.part AS input, {{ asked }}.input_hash, {{ asked }}.input_cut
FROM {{ asked }}
INNER JOIN bounded ON bounded.item_id = {{ asked }}.item_id
ORDER BY {{ asked }}.item_id, bounded.place
{% else %}
SELECT item_id, input, input_hash, input_cut
FROM {{ asked }}
ORDER BY item_id
{% endif %}
