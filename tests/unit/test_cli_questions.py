"""``python -m hnintel gen`` and ``prune``, and ``flows/main.py --plan``: what they print, and what they leave alone."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from flows.local.day import main as flow_main
from hnintel.cli.app import main
from hnintel.enrich.accepted import NAME
from hnintel.enrich.declaration import BUNDLED, load_enrichments
from hnintel.enrich.run import enrich
from hnintel.settings import Settings
from hnintel.warehouse import open_warehouse
from tests.warehouse.world import DAY, fetch, load_sample

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the bundled enrichments, with their lock file, that the settings name."""
    copied = tmp_path / "enrichments"
    shutil.copytree(BUNDLED, copied, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("HNINTEL_ENRICHMENTS_PATH", str(copied))
    return copied


def change(folder: Path, name: str) -> None:
    """Another version of a question."""
    path = folder / f"{name}.py"
    path.write_text(path.read_text(encoding="utf-8").replace("version=1", "version=2"), encoding="utf-8")


def test_gen_accepts_what_was_changed_and_says_what(folder: Path, capsys: Capture) -> None:
    assert main(["gen", "--check"]) == 0
    change(folder, "topic")
    assert main(["gen", "--check"]) == 5
    told = capsys.readouterr()
    assert "topic: changed" in told.out
    assert told.err.splitlines() == [
        "error: declared questions differ from the accepted ones: python -m hnintel gen accepts them"
    ]
    assert main(["gen"]) == 0
    assert main(["gen", "--check"]) == 0


def test_gen_check_writes_nothing(folder: Path) -> None:
    (folder / NAME).unlink()
    assert main(["gen", "--check"]) == 5
    assert not (folder / NAME).exists()


def test_a_run_refuses_a_changed_question_before_anything_is_started(folder: Path, home: Path, capsys: Capture) -> None:
    change(folder, "topic")
    assert flow_main(["--source", "sample", "--day", str(DAY)]) == 5
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: topic.py: the question changed since it was accepted")
    assert not home.exists()


def test_the_plan_of_a_changed_question_is_told_before_it_is_accepted(
    folder: Path, home: Path, capsys: Capture
) -> None:
    settings = Settings()
    load_sample(open_warehouse(settings))
    for enrichment in load_enrichments().values():
        enrich(open_warehouse(settings), enrichment, DAY, settings, "run")
    change(folder, "topic")
    capsys.readouterr()

    assert flow_main(["--source", "sample", "--day", str(DAY), "--plan", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    asked = {name: one["rows"] for name, one in told["stages"].items()}
    briefing = asked.pop("briefing")
    titled = fetch(open_warehouse(settings), "SELECT count(*) FROM raw.items WHERE status = 'ok' AND title IS NOT NULL")
    assert asked == {**dict.fromkeys(load_enrichments(), 0), "topic": titled[0][0]}
    assert briefing > 0
    assert told["total"]["cost"] == 0  # the offline engine is free
    assert told["total"]["input_tokens"] > 1000


def test_the_plan_of_a_day_that_is_not_here_says_so(home: Path, capsys: Capture) -> None:
    assert flow_main(["--source", "sample", "--day", str(DAY), "--plan"]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "no item of this day is stored yet" in told.err
    assert "note:" not in told.err


def test_a_day_that_the_source_holds_nothing_of_is_told_before_anything_is_run(home: Path, capsys: Capture) -> None:
    assert flow_main(["--source", "sample", "--day", "2026-10-01", "--plan"]) == 2
    told = "error: sample has no story of 2026-10-01: give one of the days that it has, 2026-10-20 to 2026-10-22"
    assert capsys.readouterr().err.startswith(told)
    assert not home.exists()


def test_prune_removes_only_when_told_to(home: Path, capsys: Capture) -> None:
    settings = Settings()
    warehouse = open_warehouse(settings)
    load_sample(warehouse)
    topic = load_enrichments()["topic"]
    enrich(warehouse, replace(topic, version=0), DAY, settings, "old")
    assert main(["prune"]) == 0
    assert "nothing to delete" in capsys.readouterr().out
    enrich(warehouse, topic, DAY, settings, "new")
    count = fetch(warehouse, "SELECT count(*) FROM enriched.topic")

    assert main(["prune", "--dry-run"]) == 0
    assert main(["prune"]) == 2  # nobody is there to be asked
    told = capsys.readouterr()
    assert "answers by offline-1" in told.out
    assert "--yes deletes them" in told.err
    assert fetch(warehouse, "SELECT count(*) FROM enriched.topic") == count

    assert main(["prune", "--yes"]) == 0
    assert fetch(warehouse, "SELECT DISTINCT run_id FROM enriched.topic") == [("new",)]


def test_gen_lists_the_changed_enrichments_as_json(folder: Path, capsys: Capture) -> None:
    change(folder, "topic")
    assert main(["gen", "--check", "--json"]) == 5
    printed = json.loads(capsys.readouterr().out)
    assert printed == {"check": True, "enrichments": [{"name": "topic", "kind": "changed"}], "dbt_declared": []}
