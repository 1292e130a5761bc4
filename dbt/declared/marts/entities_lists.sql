-- Written by `python -m hnintel gen` from the declarations of the enrichments. Change those.
{{ lists_of_live_stories("entities", ["companies", "products", "people", "technologies", "funding_amounts"]) }}
