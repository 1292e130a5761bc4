-- The answer that is shown of each item: to the question as it is now, else the latest to an earlier one, so that
-- nothing is lost from sight while a new question is being asked. Nearly all rows come by the first half, which is cheap.
CREATE OR REPLACE VIEW {{ table }}_current AS
SELECT item_id, fingerprint, {% for column in columns %}{{ column.name }}, {% endfor %}input_hash, input_cut, model, run_id, enriched_at
FROM {{ table }}
WHERE fingerprint = {{ fingerprint | literal }}
UNION ALL
SELECT item_id, fingerprint, {% for column in columns %}{{ column.name }}, {% endfor %}input_hash, input_cut, model, run_id, enriched_at
FROM (
    SELECT old.*
    FROM {{ table }} AS old
    WHERE old.fingerprint <> {{ fingerprint | literal }}
      AND NOT EXISTS (
          SELECT 1 FROM {{ table }} AS now WHERE now.item_id = old.item_id AND now.fingerprint = {{ fingerprint | literal }}
      )
    QUALIFY row_number() OVER (PARTITION BY old.item_id ORDER BY old.enriched_at DESC, old.fingerprint) = 1
) AS earlier
