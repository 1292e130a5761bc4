"""A stage is added as one file: the ledger, ``status``, ``--stage``, the plan and the lineage have it from then on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows import main as flow
from hnintel.cli.app import app
from hnintel.errors import DeclarationError, UsageError
from hnintel.ledger import stage_rows
from hnintel.partitions import graph
from hnintel.partitions.calendar import Span
from hnintel.partitions.pipeline import Pipeline
from hnintel.planning.backfill import plan_backfill
from hnintel.planning.work import choose_work
from hnintel.runs import lineage
from tasks import assets, own_stage
from tests.partitions.days import DAY, NOW, READ, Days

TITLES = '''"""The longest title of a day."""

from hnintel.hashes import hash_of_values
from hnintel.partitions import hashes
from hnintel.partitions.stage import Stage


class Titles(Stage):
    """Its rows depend on the titles of the day."""

    name = "titles"
    after = ("ingest",)
    table = "enriched.titles"
    doc = "The longest title of a day."
    made_of = ("raw.items",)

    def fingerprint(self, context):
        return hash_of_values([1])

    def inputs(self, context, session, days):
        rows = "(SELECT * FROM raw.items WHERE day BETWEEN ? AND ?) AS items"
        return hashes.of_rows(session, context.warehouse, rows, ["title"], [days[0], days[-1]])

    def run(self, context, session, day, run_id):
        session.execute(
            "INSERT INTO enriched.titles SELECT ?, ?, max(title) FROM raw.items WHERE day = ?", [day, run_id, day]
        )
        return 1


stage = Titles()
'''


@pytest.fixture
def days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Days:
    """A day of two stories, and a stage of its own that was never run."""
    stages = tmp_path / "stages"
    stages.mkdir()
    (stages / "titles.py").write_text(TITLES, encoding="utf-8")
    monkeypatch.setenv("HNINTEL_HOME", str(tmp_path))
    monkeypatch.setenv("HNINTEL_STAGES_PATH", str(stages))
    found = Days(tmp_path, stages_path=stages)
    found.load(1, 2)
    found.sql("CREATE TABLE enriched.titles (day DATE, run_id VARCHAR, title VARCHAR)")
    found.note(*(name for name in found.pipeline.stages if name != "titles"))
    return found


def run_titles(days: Days) -> int:
    """What the flow does with it: its beginning in the ledger, then its task."""
    pipeline = days.pipeline
    with days.warehouse.transaction(stage="enrich") as session:
        inputs = pipeline.inputs(session, "titles", DAY, DAY)[DAY]
        stage_rows.begin_stage(session, DAY, "titles", "a-run", READ, pipeline.fingerprint("titles"), inputs, "sample")
    return own_stage.run.fn("titles", DAY, "a-run", "sample")


def choose_all(pipeline: Pipeline) -> None:
    """What a run does with its stages before it begins."""
    graph.choose(pipeline.stages, [])
    flow.refuse_without_runner(pipeline)


def test_it_stands_in_its_place_among_the_stages(days: Days) -> None:
    assert list(days.pipeline.stages)[:3] == ["ingest", "articles", "titles"]
    assert days.by_status()["missing"] == ["titles"]


def test_it_can_be_chosen_and_is_downstream_of_what_it_comes_after(days: Days) -> None:
    assert graph.choose(days.pipeline.stages, ["titles"]) == {"titles"}
    assert "titles" in graph.choose(days.pipeline.stages, ["ingest+"])
    assert "titles" not in graph.choose(days.pipeline.stages, ["articles+"])
    with pytest.raises(UsageError, match=r"'title' is not a stage: give one of .*titles"):
        graph.choose(days.pipeline.stages, ["title"])


def test_status_shows_it_and_what_does_it(days: Days) -> None:
    shown = json.loads(CliRunner().invoke(app, ["status", "--from", str(DAY), "--to", str(DAY), "--json"]).stdout)
    assert "titles" in shown["stages"]
    assert shown["days"][str(DAY)]["titles"]["status"] == "missing"


def test_the_plan_of_a_backfill_has_it_and_it_costs_nothing(days: Days) -> None:
    pipeline, chosen = days.pipeline, graph.choose(days.pipeline.stages, ["titles"])
    with days.warehouse.transaction(stage="enrich") as session:
        works = choose_work(session, pipeline, Span(DAY, DAY), chosen, "due", NOW)
    (row,) = plan_backfill(days.warehouse, pipeline, works, chosen).rows()
    assert (row["stages"], row["why"], row["questions"]) == ("titles", "missing: never run", 0)


def test_its_rows_and_the_ledger_say_the_same(days: Days) -> None:
    assert run_titles(days) == 1
    assert days.sql("SELECT title FROM enriched.titles WHERE day = ?", [DAY]) == [("A story",)]
    assert days.sql("SELECT status, row_count, run_id FROM ops.partitions WHERE stage = 'titles'") == [
        ("complete", 1, "a-run")
    ]
    days.load(1, title="Another story")
    assert days.stage("titles").status == "stale"


def test_a_stage_that_fails_keeps_no_row_and_is_not_done(days: Days) -> None:
    days.sql("DROP TABLE enriched.titles")
    with pytest.raises(Exception, match="titles"):
        run_titles(days)
    assert days.stage("titles").status == "failed"


def test_the_lineage_has_its_table_and_what_that_is_made_of(days: Days) -> None:
    run_titles(days)
    stage = days.pipeline.declared["titles"]
    assert stage.table is not None
    with days.warehouse.transaction(stage="enrich") as session:
        facts = lineage.table_facts(session, days.warehouse, stage.table, DAY, "a-run")
    assert facts["enriched.titles"]["rows written"] == 1
    task = assets.of_own_stage(own_stage.run, stage)
    assert [asset.properties.name for asset in task.assets if asset.properties] == ["enriched.titles"]
    assert ["raw/items" in str(getattr(made_of, "key", made_of)) for made_of in task.asset_deps] == [True]


def test_a_backfill_does_it_with_the_marts_where_it_is_downstream_of_them(days: Days) -> None:
    assert "titles" not in days.pipeline.after_asking
    changed = TITLES.replace('("ingest",)', '("publish",)')
    (days.settings.stages_path / "titles.py").write_text(changed, encoding="utf-8")  # type: ignore[operator]
    assert days.made_from("sample").after_asking == ("transform", "briefing", "publish", "titles")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "titles"', 'name = "title"', r"titles\.py declares 'title': name the stage as the file is named"),
        ("stage = Titles()", "", r"titles\.py declares no stage"),
        ("def run(", "def runs(", r"titles\.py: nothing runs 'titles': give it a `run` or a `runner`"),
        ("import hashes", "import hushes", r"titles\.py: ImportError: .* correct the file"),
        ('("ingest",)', '("scrape",)', r"stage 'titles' comes after 'scrape', which is no stage: give one of "),
        ('("ingest",)', '("titles",)', r"stages titles, titles come after each other"),
        (
            "    table =",
            '    runner = "nobody"\n    table =',
            r"'titles' names the runner 'nobody': give one of ",
        ),
    ],
)
def test_a_file_that_declares_it_wrong_is_refused_in_one_line(days: Days, old: str, new: str, told: str) -> None:
    path = days.settings.stages_path / "titles.py"  # type: ignore[operator]
    path.write_text(TITLES.replace(old, new), encoding="utf-8")
    pipeline = days.made_from("sample")
    with pytest.raises(DeclarationError, match=told) as refused:
        choose_all(pipeline)
    assert "\n" not in str(refused.value)


def test_a_file_named_as_a_stage_that_is_there_is_refused(days: Days) -> None:
    folder = days.settings.stages_path
    (folder / "ingest.py").write_text(TITLES.replace('"titles"', '"ingest"'), encoding="utf-8")  # type: ignore[operator]
    with pytest.raises(DeclarationError, match=r"ingest\.py: there is a stage 'ingest' already"):
        assert days.made_from("sample").declared


def test_every_runner_is_named_by_a_stage(days: Days) -> None:
    assert {stage.runner for stage in days.pipeline.declared.values()} == set(flow.RUNNERS)


def test_consecutive_stages_of_a_runner_are_run_in_one_go(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    async def note(_: object, names: list[str]) -> None:
        ran.append(names)

    monkeypatch.setattr(flow, "RUNNERS", dict.fromkeys(flow.RUNNERS, note))
    run = flow.Run(DAY, "r", days.pipeline, None, frozenset(), None)  # type: ignore[arg-type]
    asyncio.run(flow.run_stages(run, ["ingest", "articles", "enrich:topic", "enrich:sentiment", "titles"]))
    assert ran == [["ingest"], ["articles"], ["enrich:topic", "enrich:sentiment"], ["titles"]]
