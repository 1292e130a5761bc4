WHEN MATCHED THEN UPDATE SET
{% for column in columns + ["input_hash", "input_cut", "model", "run_id", "enriched_at"] %}
    {{ column }} = s.{{ column }}{{ "," if not loop.last }}
{% endfor %}
WHEN NOT MATCHED THEN INSERT
    (item_id, fingerprint, {{ columns | join(", ") }}, input_hash, input_cut, model, run_id, enriched_at)
VALUES
    (s.item_id, s.fingerprint, {% for column in columns %}s.{{ column }}, {% endfor %}s.input_hash, s.input_cut, s.model, s.run_id, s.enriched_at)
