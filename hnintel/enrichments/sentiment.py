"""How a story speaks of its subject."""

from hnintel.enrich.declaration import Column, Enrichment

enrichment = Enrichment(
    __name__,
    doc="The tone in which a story speaks of its subject.",
    version=1,
    call="AI_CLASSIFY({{ input }}, {{ labels }})",
    columns=(
        Column(
            "sentiment",
            str,
            "The tone in which the story speaks of its subject.",
            one_of={
                "positive": "Praise, delight, success, good news, something new that works.",
                "neutral": "A plain account, a question, an explanation, mixed or no feeling.",
                "negative": "Complaint, failure, loss, harm, worry, criticism, bad news.",
            },
            path="labels[0]",
        ),
    ),
)
