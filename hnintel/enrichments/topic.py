"""What a story is about."""

from hnintel.enrich.declaration import Column, Enrichment

enrichment = Enrichment(
    __name__,
    doc="The one subject a story is mostly about.",
    version=1,
    call="AI_CLASSIFY({{ input }}, {{ labels }})",
    columns=(
        Column(
            "topic",
            str,
            "The one subject the story is mostly about.",
            one_of={
                "ai": "Machine learning, language models, neural networks and their use.",
                "data_engineering": "Pipelines, orchestration, warehouses, lakes, table formats, dbt, streaming.",
                "databases": "Database engines, storage engines, SQL, query optimisers, indexes.",
                "programming": "Languages, compilers, libraries, version control, software craft.",
                "systems": "Operating systems, kernels, networking, performance, distributed systems.",
                "security": "Vulnerabilities, breaches, malware, cryptography, supply chain.",
                "web": "Browsers, front ends, HTTP, standards, accessibility.",
                "cloud_devops": "Cloud providers, outages, incidents, containers, deployment, observability.",
                "hardware": "Chips, computers, robotics, electronics, devices.",
                "science": "Physics, biology, space, mathematics, medicine, climate.",
                "startups": "Companies, funding, launches, layoffs, acquisitions, business.",
                "policy": "Law, regulation, privacy, courts, government.",
                "careers": "Jobs, hiring, interviews, management, remote work.",
                "culture": "History, art, games, music, books, food, life.",
                "other": "None of these.",
            },
            path="labels[0]",
        ),
    ),
)
