-- Written by `python -m hnintel gen` from the declarations of the enrichments. Change those.
{{ answers_about_stories({"sentiment": {"sentiment": "sentiment"}, "takeaway": {"takeaway": "takeaway"}, "topic": {"topic": "topic"}}) }}
