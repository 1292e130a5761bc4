"""What is written in the ledger of a warehouse stays true: fingerprints and inputs are those of every version before.

A value that differs here makes every day of every warehouse stale, and asks a model everything anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hnintel.enrich.dbt_models import render_models
from hnintel.enrich.tables import prepare
from hnintel.hashes import hash_of_values
from hnintel.partitions import hashes
from hnintel.partitions.pipeline import Pipeline
from tests.briefing.desk import make_marts
from tests.partitions.days import DAY
from tests.warehouse.world import fresh_duckdb, settings_in

EMPTY = DAY + timedelta(days=2)

TONE = '''"""The tone."""

from hnintel.enrich.declaration import Column, Enrichment

enrichment = Enrichment(
    __name__,
    doc="The tone.",
    version=1,
    model="a-model",
    prompt="Say the tone.",
    call="AI_COMPLETE({{ model }}, {{ prompt }} || {{ input }}, {}, {{ response_format }})",
    columns=(Column("tone", str, "The tone.", one_of=("good", "bad")),),
)
'''
DEBATE = '''"""The debate."""

from hnintel.enrich.declaration import Column, Enrichment

enrichment = Enrichment(
    __name__,
    doc="The debate.",
    version=1,
    of="comments",
    digest="Say what is debated.",
    model="a-model",
    prompt="Draw up the debate.",
    call="AI_COMPLETE({{ model }}, {{ prompt }} || {{ input }}, {}, {{ response_format }})",
    columns=(Column("dispute", str, "The dispute."),),
    after=("tone",),
)
'''
ROWS = """
INSERT INTO raw.items BY NAME
    SELECT i AS id, DATE '2026-10-21' + CAST(i // 3 AS INTEGER) AS day, 'story' AS type, 'ok' AS status,
        'Story ' || i AS title, 'Words ' || i AS text, 'https://pump.example/' || i AS url,
        'https://pump.example/' || i AS canonical_url, 'pump.example' AS domain, 100 + i AS score, 2 AS comments,
        TIMESTAMP '2026-10-21 12:00:00' AS posted_at, 'sample' AS source, 'h' || i AS content_hash, 'run' AS run_id,
        TIMESTAMP '2026-10-22 06:00:00' AS loaded_at
    FROM range(1, 6) AS n(i);
INSERT INTO raw.articles BY NAME
    SELECT canonical_url, url, 'ok' AS status, 'An article.' AS text, 'a' || id AS text_hash, 1 AS attempts,
        'run' AS run_id, TIMESTAMP '2026-10-22 06:00:00' AS fetched_at FROM raw.items WHERE id % 2 = 0;
INSERT INTO raw.comments BY NAME
    SELECT 10 * id + k AS id, id AS story_id, 1 AS depth, 'ok' AS status,
        'Comment ' || k AS text, 'c' || k AS content_hash, 'run' AS run_id,
        TIMESTAMP '2026-10-22 06:00:00' AS loaded_at
    FROM raw.items, range(2) AS n(k);
INSERT INTO enriched.tone BY NAME
    SELECT id AS item_id, 'a-fingerprint' AS fingerprint, 'good' AS tone, 'h' AS input_hash, FALSE AS input_cut,
        'm' AS model, 'run' AS run_id, TIMESTAMP '2026-10-22 07:00:00' AS enriched_at FROM raw.items WHERE id < 4;
INSERT INTO enriched.briefings BY NAME
    SELECT DATE '2026-10-21' AS day, 'f' AS fingerprint, 'h' AS input_hash, '[]' AS claims, 2 AS stories, '' AS text,
        'm' AS model, 'run' AS run_id, TIMESTAMP '2026-10-22 08:00:00' AS written_at
"""


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """Two days with rows in every table, two enrichments, and a checkout of one file a place."""
    enrichments, checkout = tmp_path / "enrichments", tmp_path / "checkout"
    enrichments.mkdir()
    (enrichments / "tone.py").write_text(TONE, encoding="utf-8")
    (enrichments / "debate.py").write_text(DEBATE, encoding="utf-8")
    for name in ("dbt/models/a.sql", "dbt/macros/b.sql", "dbt/tests/c.sql", "dbt/dbt_project.yml", "dbt/models/d.md"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text(f"what {name} says\n", encoding="utf-8")
    monkeypatch.setattr(hashes, "ROOT", checkout)
    hashes.of_files.cache_clear()
    settings = settings_in(tmp_path, enrichments_path=enrichments)
    made = Pipeline(fresh_duckdb(tmp_path), settings, "sample")
    with made.warehouse.transaction(stage="enrich") as session:
        for one in made.enrichments.values():
            prepare(session, made.warehouse, one, settings)
        for statement in ROWS.split(";"):
            session.execute(statement)
    with made.warehouse.transaction(stage="enrich") as session:
        make_marts(session)
    yield made
    hashes.of_files.cache_clear()


#: As the code before there were stage objects computed them.
FINGERPRINTS = {
    "ingest": "5a0e3ab2d6ff0d9650f58f5c32d068d6",
    "articles": "7320dde68bc47336504796a84c0306a6",
    "enrich:tone": "964351507a85e79ff5f58b16422d9b8a",
    "enrich:debate": "3eef9bfa32b821d0d55d1051261f9878",
    "briefing": "86cf603b9b15cc4da3d58d53ac73340b",
}
INPUTS = {
    "ingest": ["1f1ecd84d6ea7c302616b4c5d4a6fc94"] * 3,
    "articles": ["30489628066485585387", "20738954766921978300", "0"],
    "enrich:tone": ["19210214122441952765", "28941099054002899795", "0"],
    "enrich:debate": ["29904772326651815856", "64097522772698342020", "0"],
    "transform": ["8220e465a83a9761cee287c82ace995d", "889adfabec930c0c4d9502e7ae678be6", "0"],
    "briefing": ["46207423201321965642", "46311682711298933478", "0"],
    "publish": ["af42cea370dd6d38445c7ed4b9307dc7", "50e7a10d3c538d5ac7b0d1c7859d7c9a", "0"],
}


def test_what_makes_the_rows_of_a_stage_has_the_fingerprint_that_it_always_had(pipeline: Pipeline) -> None:
    assert {name: pipeline.fingerprint(name) for name in FINGERPRINTS} == FINGERPRINTS


def test_the_marts_depend_on_the_dbt_project_and_on_what_is_declared(pipeline: Pipeline) -> None:
    project = "ff179d7128e16a22a8f400d3ea8ffe85"  # what the marts depended on before columns were declared for them
    declared = [[str(path), text] for path, text in render_models(pipeline.enrichments).items()]
    assert pipeline.fingerprint("transform") == hash_of_values([project, declared])


def test_the_rows_that_a_stage_reads_have_the_hash_that_they_always_had(pipeline: Pipeline) -> None:
    with pipeline.warehouse.transaction(stage="enrich") as session:
        found = {name: list(pipeline.inputs(session, name, DAY, EMPTY).values()) for name in pipeline.stages}
    assert found == INPUTS


def test_the_stages_run_in_the_order_in_which_they_always_ran(pipeline: Pipeline) -> None:
    assert list(pipeline.stages) == list(INPUTS)
    assert pipeline.stages["transform"] == ("ingest", "articles", "enrich:tone", "enrich:debate")
