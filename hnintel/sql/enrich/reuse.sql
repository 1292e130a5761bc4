-- Gives the items of a day whose text another item has an answer for, and they have not, that answer. Only items between
-- two ids are looked at: hashes are in no order, and to read all of a grown table would take longer than all else.
-- Parameters: day, fingerprint, run id, now, fingerprint, least id, greatest id.
MERGE INTO {{ table }} AS t
USING (
{% include "enrich/pending_texts.sql" %},

due AS (
    SELECT whole.item_id, whole.input_hash, whole.input_cut
    FROM whole
    LEFT JOIN {{ table }} AS own ON own.item_id = whole.item_id AND own.fingerprint = ?
    WHERE own.item_id IS NULL OR own.input_hash <> whole.input_hash
)

    SELECT
        due.item_id, given.fingerprint, {% for column in columns %}given.{{ column }}, {% endfor %}due.input_hash, due.input_cut,
        given.model, CAST(? AS VARCHAR) AS run_id, CAST(? AS TIMESTAMP) AS enriched_at
    FROM due
    INNER JOIN {{ table }} AS given ON given.input_hash = due.input_hash
    WHERE given.fingerprint = ? AND given.item_id BETWEEN ? AND ?
    QUALIFY row_number() OVER (PARTITION BY due.item_id ORDER BY given.item_id) = 1
) AS s
ON t.item_id = s.item_id AND t.fingerprint = s.fingerprint
{% include "enrich/store_answers.sql" %}
