CREATE OR REPLACE VIEW {{ table }}_current AS
SELECT item_id, fingerprint, {% for column in columns %}{{ column.name }}, {% endfor %}input_hash, input_cut, model, run_id, enriched_at
FROM {{ table }}
WHERE fingerprint = {{ fingerprint | literal }}
