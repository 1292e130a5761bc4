"""A declared column is in the marts after the next build: in those that were there already too, without an edit."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from prefect import flow

from hnintel.enrich.declaration import BUNDLED, load_enrichments
from hnintel.enrich.run import enrich
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from tests.conftest import ROOT
from tests.warehouse.world import DAY, fetch, load_sample

pytestmark = pytest.mark.slow  # a Prefect server, and dbt

HOW_TO = (ROOT / "docs" / "how-to" / "add-an-enrichment.md").read_text(encoding="utf-8")
PURPOSE, WISHES = re.findall(r"```python\n(.*?)```", HOW_TO, re.DOTALL)
#: A column that the mart has a column of that name of, a number in a range, a list, and a text that is no template.
NAMED = """
from hnintel.enrich.declaration import Column, Enrichment

enrichment = Enrichment(
    __name__,
    doc="Who is named: {{ 'a template' }} and {% this %}, it's \\"quoted\\".",
    version=1,
    model="claude-haiku-4-5",
    prompt="List the people that this story names.",
    call="AI_COMPLETE({{ model }}, {{ prompt }} || {{ input }}, {'temperature': 0}, {{ response_format }})",
    columns=(
        Column("people", list[str], "People, by their full name, such as {{ name }}."),
        Column("kind", str, "What the story is.", one_of={"tool's": "Software, a tool.", "other": "None of these."}),
    ),
)
"""


def _answer(names: list[str]) -> None:
    settings = load_settings()
    for name in names:
        enrich(open_warehouse(settings), load_enrichments(settings.enrichments_path)[name], DAY, settings, "a-run")


@flow(name="builds")
def _build() -> Any:
    from tasks import transform

    return transform.build(DAY, DAY)


def _rows(sql: str) -> list[tuple[Any, ...]]:
    return fetch(open_warehouse(load_settings()), sql)


def test_a_new_enrichments_columns_are_in_the_marts_after_the_next_build(
    prefect_server: None, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "enrichments"
    shutil.copytree(BUNDLED, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("HNINTEL_ENRICHMENTS_PATH", str(folder))
    load_sample(open_warehouse(load_settings()))
    _answer(list(load_enrichments(folder)))
    before = _build()
    names = {
        name for (name,) in _rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'stories'")
    }
    assert {"sentiment", "topic", "takeaway"} <= names
    assert "purpose" not in names

    (folder / "purpose.py").write_text(PURPOSE, encoding="utf-8")
    (folder / "named.py").write_text(NAMED, encoding="utf-8")
    wishes = f"from hnintel.enrich.declaration import Column, Enrichment\n\n{WISHES}"
    (folder / "wishes.py").write_text(wishes, encoding="utf-8")
    _answer(["purpose", "named"])  # nobody is asked about wishes yet: its mart is there, and empty
    after = _build()

    assert (before.failed, after.failed) == ((), ())
    assert after.models == before.models + len(
        ["stg_ai__purpose", "stg_ai__named", "stg_ai__wishes", "named_lists", "wishes"]
    )
    answered = "SELECT item_id, purpose FROM enriched.purpose_current ORDER BY 1"
    assert len(_rows(answered)) > 50
    assert _rows("SELECT item_id, purpose FROM marts.stories WHERE purpose IS NOT NULL ORDER BY 1") == _rows(answered)
    assert _rows("SELECT count(kind), count(sentiment) > 50, count(named_kind) > 50 FROM marts.stories")[0][1:] == (
        True,
        True,
    )
    assert _rows("SELECT DISTINCT named_kind FROM marts.stories WHERE named_kind NOT IN ('tool''s', 'other')") == []
    listed = "SELECT count(DISTINCT (item_id, trim(p))) FROM (SELECT item_id, unnest(people) AS p FROM enriched.named)"
    assert _rows("SELECT count(*) FROM marts.named_lists WHERE list_name = 'people'") == _rows(listed)
    assert _rows("SELECT item_id, day, summary FROM marts.wishes") == []
