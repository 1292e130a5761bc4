-- The texts of a day worth asking about that no item has an answer for to this question, next chunk{% if input.many %}; one row a part of an
-- item's text, in their order{% endif %}. Of several items with the very same text the first is asked about; `reuse.sql` gives the
-- others its answer.
-- Parameters: day, stage, fingerprint, item id to start after, attempts allowed, retried before, fingerprint.
{% include "texts.sql" %},

due AS (
    SELECT whole.*
    FROM whole
    LEFT JOIN ops.dead_letters AS dead
        ON dead.stage = ? AND dead.key = CAST(whole.item_id AS VARCHAR) AND dead.fingerprint = ?
    WHERE whole.item_id > ?
      AND (dead.key IS NULL OR dead.input_hash <> whole.input_hash OR (dead.attempts < ? AND dead.last_seen < ?))
      AND NOT EXISTS (
          SELECT 1 FROM {{ table }} AS answered WHERE answered.input_hash = whole.input_hash AND answered.fingerprint = ?
      )
    QUALIFY row_number() OVER (PARTITION BY whole.input_hash ORDER BY whole.item_id) = 1
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
