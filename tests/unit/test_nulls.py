"""Every table of the ledger with NULL wherever its columns allow it: no command and no statement stumbles over one."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.local import backfill, day, reconcile
from hnintel.cli.app import main
from hnintel.cost.bill import bills
from hnintel.ledger import dead_letters, outbox
from hnintel.partitions import announce
from hnintel.partitions.calendar import Span
from hnintel.partitions.pipeline import Pipeline
from hnintel.partitions.state import grid
from hnintel.planning.backfill import plan_backfill
from hnintel.planning.due import days_due
from hnintel.planning.work import choose_work
from hnintel.settings import Settings, load_settings
from hnintel.warehouse.base import Session, Warehouse
from hnintel.window import utc_now
from tests.warehouse.world import Opens, fresh_duckdb, fresh_snowflake

DAY = date(2026, 10, 22)
LONG_AGO = datetime(2026, 10, 23, 6)
STAGES = ("ingest", "articles", "enrich:topic", "transform", "briefing", "publish", "ingest:07", "enrich:gone")
LETTERS = ("items", "options", "comments", "articles", "enrich:topic", "enrich:gone", "briefing")
STATUSES = ("running", "complete", "partial", "failed", "stopped")
#: What a column holds that may not be NULL, where its type alone does not say it.
WORDS = {
    "claims": "[]",
    "counting": "estimated",
    "currency": "USD",
    "event": "hn.day.published",
    "holder": "elsewhere|space|1|1",
    "name": "rows: ids",
    "payload": "{}",
    "source": "sample",
    "status": "ok",
}
VALUES: dict[str, Callable[[], Any]] = {
    "BOOLEAN": lambda: False,
    "BIGINT": lambda: 1,
    "NUMBER": lambda: 1,
    "DOUBLE": lambda: 0.5,
    "FLOAT": lambda: 0.5,
    "DATE": lambda: DAY,
    "TIMESTAMP": lambda: LONG_AGO,
}
_NUMBERS = itertools.count(1)


def _rows() -> Iterator[tuple[str, dict[str, Any]]]:
    """Tables, and what their rows differ in; all else is NULL, or whatever may stand there."""
    young = utc_now()
    for seen, key in itertools.product((LONG_AGO, young), ("7", "1/1/7", "https://a.example/")):
        for stage in LETTERS:
            yield "ops.dead_letters", {"stage": stage, "key": f"{key}{seen:%d}", "first_seen": seen, "last_seen": seen}
    for number, (stage, status) in enumerate(itertools.product(STAGES, STATUSES)):
        yield "ops.partitions", {"day": DAY - timedelta(days=number % 5), "stage": stage, "status": status}
    for status in STATUSES:
        yield "ops.runs", {"run_id": status, "status": status}
    for status in ("retry_at", "ok", "gave_up"):
        yield "raw.articles", {"canonical_url": f"https://{status}.example/", "status": status}
        yield "ops.dead_letters", {"stage": "articles", "key": f"https://{status}.example/", "last_seen": young}
    for table in ("ops.ai_usage", "ops.ai_reservations", "ops.ai_billed", "ops.compute_billed", "ops.outbox"):
        yield table, {}
    yield "ops.leases", {"day": DAY, "stage": "ingest", "expires_at": LONG_AGO}
    yield "ops.listings", {"day": DAY, "proof": "sampled"}
    yield "ops.checks", {"day": DAY}
    yield "raw.items", {"id": 7}
    yield "raw.items", {"id": 8, "title": "A title", "canonical_url": "https://retry_at.example/", "url": "u"}
    yield "raw.comments", {"id": 9, "story_id": 7}
    yield "raw.item_snapshots", {"id": 7}
    yield "enriched.briefings", {"day": DAY}


def fill(session: Session) -> None:
    """Rows of every table of ours, NULL in each column that may be."""
    told = session.execute(
        "SELECT lower(table_schema) || '.' || lower(table_name), lower(column_name), is_nullable, data_type "
        "FROM information_schema.columns WHERE lower(table_schema) IN ('ops', 'raw', 'enriched')"
    )
    columns: dict[str, dict[str, str | None]] = {}
    for table, column, nullable, kind in told:
        columns.setdefault(table, {})[column] = None if nullable == "YES" else str(kind).split("(")[0].split("_")[0]
    alike: dict[tuple[str, ...], list[list[Any]]] = {}  # the rows by their table and columns
    for table, differs in _rows():
        row = {column: _value(column, kind) for column, kind in columns[table].items() if kind} | differs
        alike.setdefault((table, *row), []).append(list(row.values()))
    for (table, *names), rows in alike.items():
        marks = ", ".join([f"({', '.join('?' for _ in names)})"] * len(rows))
        values = list(itertools.chain.from_iterable(rows))
        session.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES {marks}", values)
    filled = {table for table, *_ in alike}
    assert {name for name in columns if name.startswith("ops.")} - filled <= {"ops.schema_versions", "ops.lease_turn"}


def _value(column: str, kind: str) -> Any:
    return VALUES[kind]() if kind in VALUES else WORDS.get(column, f"{column}{next(_NUMBERS)}")


@pytest.fixture(scope="module")
def full_of_nulls(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a warehouse that is full of NULLs."""
    warehouse = fresh_duckdb(tmp_path_factory.mktemp("filled"))
    with warehouse.transaction(stage="enrich") as session:
        fill(session)
    return warehouse.path.read_bytes()


@pytest.fixture
def filled(home: Path, full_of_nulls: bytes) -> Settings:
    """The home of a test, whose warehouse is full of NULLs."""
    settings = load_settings()
    path = fresh_duckdb(settings.folder).path
    path.write_bytes(full_of_nulls)
    return settings


@pytest.fixture(params=[fresh_duckdb, fresh_snowflake], ids=["duckdb", "snowflake"], scope="module")
def pipeline(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Either warehouse, full of NULLs; what a test writes to it is rolled back."""
    opens: Opens = request.param
    folder = tmp_path_factory.mktemp("nulls")
    warehouse = opens(folder)
    with warehouse.transaction(stage="enrich") as session:
        fill(session)
    return Pipeline(warehouse, Settings(home=folder), "sample")


class RolledBack(Exception):
    """Raised to end a transaction without a commit."""


@contextmanager
def rolled_back(warehouse: Warehouse) -> Iterator[Session]:
    """A transaction whose writes are rolled back at the end of the block."""
    with suppress(RolledBack), warehouse.transaction(stage="enrich") as session:
        yield session
        raise RolledBack


READS: Mapping[str, Callable[[Session, Pipeline, datetime], Any]] = {
    "letters": lambda session, pipeline, now: dead_letters.letters(session, pipeline.settings, now, pipeline.asked),
    "count_due": lambda session, pipeline, now: dead_letters.count_due(session, pipeline.settings, now, pipeline.asked),
    "bills": lambda session, pipeline, now: bills(session, DAY),
    "grid": lambda session, pipeline, now: grid(session, pipeline, DAY - timedelta(days=5), DAY, now),
    "days_due": lambda session, pipeline, now: days_due(session, pipeline, now),
    "outbox": lambda session, pipeline, now: outbox.waiting(session, 10),
    "announce_day": lambda session, pipeline, now: announce.announce_day(session, pipeline, DAY, "parent", now),
    "given_up": lambda session, pipeline, now: announce.announce_given_up(session, pipeline, now),
    "dead_letters_of": lambda session, pipeline, now: dead_letters.dead_letters_of(session, DAY, pipeline.enrichments),
}


@pytest.mark.parametrize("read", READS)
def test_what_reads_the_ledger_takes_nulls(pipeline: Pipeline, read: str) -> None:
    with rolled_back(pipeline.warehouse) as session:
        READS[read](session, pipeline, utc_now())


def test_whether_a_letter_is_due_is_yes_or_no(pipeline: Pipeline) -> None:
    with pipeline.warehouse.transaction(stage="enrich") as session:
        found = dead_letters.letters(session, pipeline.settings, utc_now(), pipeline.asked)
    assert {type(letter.due) for letter in found} == {bool}
    long_ago = {letter.stage: letter.due for letter in found if letter.last_seen == LONG_AGO and letter.key == "723"}
    young = {letter.stage: letter.due for letter in found if letter.last_seen != LONG_AGO and letter.key != "723"}
    assert {stage: long_ago[stage] for stage in ("briefing", "items")} == {"briefing": True, "items": True}
    assert {stage: young[stage] for stage in ("briefing", "enrich:topic")} == {"briefing": False, "enrich:topic": False}
    # When it is to be tried again was never noted: nobody else would ever try it.
    assert [letter.due for letter in found if letter.key == "https://retry_at.example/"] == [True]


def test_what_was_billed_for_no_partition_is_on_the_bill(pipeline: Pipeline) -> None:
    with pipeline.warehouse.transaction(stage="enrich") as session:
        (bill,) = [one for one in bills(session, LONG_AGO.date()) if one.day == LONG_AGO.date()]
    assert (bill.without_answers, bill.compute) == (0.5, 0.0)
    with pipeline.warehouse.transaction(stage="enrich") as session:
        (bill,) = [one for one in bills(session, DAY) if one.day == DAY]
    assert (bill.estimated, bill.compute) == (0.5, 0.5)


#: Checks of such a day may fail, and say so.
FAILED_CHECK = 6
COMMANDS = (
    "status",
    "status --json",
    "status --source sample --from 2026-10 --to 2026-10",
    "dead-letters list",
    "dead-letters list --json",
    "dead-letters retry --source sample --stage briefing",
    "dead-letters retry --source sample --stage enrich:topic --all --json",
    "dead-letters retry --source sample --stage articles --all",
    "bill --since 2026-10-01",
    "bill --since 2026-10-01 --json",
    "checks --day 2026-10-22",
    "checks --json",
    "prune --dry-run",
    "prune --yes",
    "retention --dry-run",
    "schema drop --prefix branch_ --dry-run",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_takes_nulls(filled: Settings, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(command.split())
    out, err = capsys.readouterr()
    assert code == 0 or (code == FAILED_CHECK and command.startswith("checks")), err
    assert "Traceback" not in out + err
    if "--json" in command:
        json.loads(out)


@pytest.mark.parametrize("words", ["--plan", "--plan --json"])
def test_reconcile_says_what_is_due_though_there_are_nulls(
    filled: Settings, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reconcile.main_reconcile(["--source", "sample", *words.split()]) == 0, capsys.readouterr()


def test_a_run_says_what_it_would_ask_though_there_are_nulls(
    filled: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert day.main(["--source", "sample", "--day", str(DAY), "--plan"]) == 0, capsys.readouterr()


def test_a_backfill_is_planned_though_there_are_nulls(filled: Settings) -> None:
    warehouse: Warehouse = fresh_duckdb(filled.folder)
    pipeline = Pipeline(warehouse, filled, "sample")
    now = utc_now()
    with warehouse.transaction(stage="enrich") as session:
        works = choose_work(
            session, pipeline, Span(DAY - timedelta(days=5), DAY), frozenset(pipeline.stages), "due", now
        )
    planned = plan_backfill(warehouse, pipeline, works, frozenset(pipeline.stages))
    assert [row["day"] for row in planned.rows()] == [str(DAY - timedelta(days=back)) for back in range(5, -1, -1)]


@pytest.mark.slow  # its plan is an artifact of a server of its own
def test_a_backfill_says_what_it_would_do_though_there_are_nulls(
    filled: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--source", "sample", "--from", str(DAY - timedelta(days=5)), "--to", str(DAY), "--plan"]
    assert backfill.main(words) == 0, capsys.readouterr()
