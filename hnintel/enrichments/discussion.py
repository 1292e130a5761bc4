"""What the commenters below a story say."""

from hnintel.enrich.declaration import Column, Enrichment

enrichment = Enrichment(
    __name__,
    doc="What the commenters of a story agree and disagree on, and their tone.",
    version=1,
    of="comments",
    digest="These are the comments below one story on Hacker News. Say what most of them agree on, where they disagree "
    "and why, and in what tone they speak of the story's subject.",
    model="claude-haiku-4-5",
    prompt="Draw up this digest of a discussion.",
    call="AI_COMPLETE({{ model }}, {{ prompt }} || {{ input }}, {'temperature': 0}, {{ response_format }})",
    columns=(
        Column(
            "agreement",
            str,
            "What most agree on, one sentence; null where there is nothing.",
            nullable=True,
            longest=1_000,
        ),
        Column(
            "disagreement",
            str,
            "Where they disagree, one sentence; null where they do not.",
            nullable=True,
            longest=1_000,
        ),
        Column(
            "tone",
            str,
            "The tone of the discussion: positive, neutral, negative; mixed where both sides are strong.",
            one_of=("positive", "neutral", "negative", "mixed"),
        ),
    ),
    where="type IN ('story', 'poll') AND comments >= 3",
)
