"""Who and what a story names."""

from hnintel.enrich.declaration import Column, Enrichment

enrichment = Enrichment(
    __name__,
    doc="The companies, products, people, technologies and sums of money a story names.",
    version=1,
    model="claude-haiku-4-5",
    prompt="List what this story names. Only names that stand in it, each once, as it is written there; an empty list "
    "where there are none.",
    call="AI_COMPLETE({{ model }}, {{ prompt }} || {{ input }}, {'temperature': 0}, {{ response_format }})",
    columns=(
        Column("companies", list[str], "Companies and organisations."),
        Column("products", list[str], "Products, services and projects, without their version."),
        Column("people", list[str], "People, by their full name where it is given."),
        Column("technologies", list[str], "Programming languages, formats, protocols, databases and tools."),
        Column("funding_amounts", list[str], "Sums of money raised or paid for a company, as written: $42M."),
    ),
    after=("sentiment",),
)
