"""What to remember of a story."""

from hnintel.enrich.declaration import Column, Enrichment

enrichment = Enrichment(
    __name__,
    doc="The one thing to remember of a story.",
    version=1,
    model="claude-haiku-4-5",
    prompt="Say the one thing an engineer should remember of this story, in one plain sentence.",
    call="AI_COMPLETE({{ model }}, {{ prompt }} || {{ input }}, {'temperature': 0}, {{ response_format }})",
    columns=(Column("takeaway", str, "One sentence of at most 25 words.", longest=1_000),),
)
