-- Gives the items of a day whose text another item has an answer for, and they have not, that answer.
-- Parameters: day, run id, now, fingerprint.
MERGE INTO {{ table }} AS t
USING (
{% include "texts.sql" %}

    SELECT
        whole.item_id, given.fingerprint, {% for column in columns %}given.{{ column }}, {% endfor %}whole.input_hash, whole.input_cut,
        given.model, CAST(? AS VARCHAR) AS run_id, CAST(? AS TIMESTAMP) AS enriched_at
    FROM whole
    INNER JOIN {{ table }} AS given ON given.input_hash = whole.input_hash
    LEFT JOIN {{ table }} AS own
        ON own.item_id = whole.item_id AND own.fingerprint = given.fingerprint AND own.input_hash = whole.input_hash
    WHERE given.fingerprint = ? AND own.item_id IS NULL
    QUALIFY row_number() OVER (PARTITION BY whole.item_id ORDER BY given.item_id) = 1
) AS s
ON t.item_id = s.item_id AND t.fingerprint = s.fingerprint
{% include "keep.sql" %}
