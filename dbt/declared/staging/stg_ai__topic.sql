-- Written by `python -m hnintel gen` from the declarations of the enrichments. Change those.
{{ staged_answers("topic", ["topic"]) }}
