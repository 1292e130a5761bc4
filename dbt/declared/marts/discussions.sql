-- Written by `python -m hnintel gen` from the declarations of the enrichments. Change those.
{{ answers_of_live_stories("discussion", ["agreement", "disagreement", "tone"]) }}
