"""A day on the Snowflake stand-in, from reading to page, beside the same day on DuckDB: the same rows from both.

It shows the adapter's SQL, roles and tags, and dbt-snowflake over the same models. Both sides are answered by the same
functions, so it shows nothing of Cortex.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from hnintel import transform
from hnintel.doctor.snowflake.needs import STAGES, SchemaNeed, schema_needs
from hnintel.settings import ROOT, load_settings, variable
from hnintel.settings.snowflake import Stage
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.base import Warehouse
from hnintel.warehouse.statement_order import verb_of
from hnintel.warehouse.table_hashes import SCHEMAS, VOLATILE
from tests.snowflake_stand_in import stand_in
from tests.snowflake_stand_in.history import HISTORY, Statement

pytestmark = pytest.mark.slow

DAY = "2026-10-20"
SAMPLE = ROOT / "hnintel" / "sample" / DAY
#: Of the sample: links with comments below them, an Ask, a Show, a Tell, a Launch, a poll, a job, a dead and a
#: deleted one, a PDF, a page that is not there.
STORIES = (
    *(990131847, 990135388, 990130625, 990139881, 990129010, 990134498, 990132744),
    *(990114566, 990121393, 990117721, 990107132, 990123850),
)
#: What is about another question: it names the model that is asked, which an account of Snowflake has another of.
OF_THE_MODEL = frozenset({"model", "fingerprint"})
#: Of the briefing: a hash by the warehouse's own function, and the page, which says when it was made and at what cost.
OF_THE_BRIEFING = frozenset({"input_hash", "text"})
DATABASE = "A_DAY"
#: The role of all stages, which makes the tables, and that of each; each stage has a Snowflake warehouse too.
PIPELINE = "PIPELINE"
ROLES: dict[str, Stage] = {"LOADER": "ingest", "ENRICHER": "enrich", "TRANSFORMER": "transform"}
ASKS = re.compile(r"\bAI_(?!COUNT_TOKENS)[A-Z_]+\(")


@dataclass(frozen=True)
class Ran:
    """A run of a day: its summary, the rows after it, its questions, and its statements to Snowflake."""

    told: dict[str, Any]
    rows: dict[str, list[str]]
    usage: list[tuple[Any, ...]]
    sent: Sequence[Statement]


#: The address of a story of the sample that has a login form in place of its article, so that each table has rows.
WALLED = "https://provingdrawer.example/not-bread/oven-forth/"
LOGIN = (
    "<!doctype html><title>Log in</title><h1>You must log in to continue.</h1>"
    "<form><input name='email'><input type='password'></form>"
)


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The chosen stories of a day of the sample with all comments below them, and their pages, as a source."""
    items = [json.loads(line) for line in (SAMPLE / "items.ndjson").read_text(encoding="utf-8").splitlines()]
    wanted = set(STORIES)
    for item in sorted(items, key=lambda one: one["time"]):  # who answers comes later
        if item.get("parent") in wanted or item.get("poll") in wanted:
            wanted.add(item["id"])
    path = tmp_path_factory.mktemp("dump") / "day.ndjson"
    path.write_text("".join(json.dumps(item) + "\n" for item in items if item["id"] in wanted), encoding="utf-8")
    pages = Path(shutil.copytree(SAMPLE / "pages", path.parent / "web" / "pages")).parent
    answers = json.loads((SAMPLE / "pages.json").read_text(encoding="utf-8"))
    assert WALLED in answers
    answers[WALLED] = {"file": "login.html"}
    (pages / "pages" / "login.html").write_text(LOGIN, encoding="utf-8")
    (pages / "pages.json").write_text(json.dumps(answers), encoding="utf-8")
    return f"replay:{path},{pages}"


@pytest.fixture(scope="module")
def embedded(prefect_server: None, dump: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """The day on DuckDB."""
    with settings_of(tmp_path_factory.mktemp("duckdb")):
        yield ran(dump)


@pytest.fixture(scope="module")
def both(prefect_server: None, dump: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ran, Ran]]:
    """The day on the stand-in, with a role for each stage; then all its stages again."""
    by_stage = {f"snowflake_role_{stage}": role for role, stage in ROLES.items()}
    by_stage |= {f"snowflake_warehouse_{stage}": f"{stage.upper()}_WH" for stage in STAGES}
    given = {**stand_in().settings, **by_stage, "snowflake_role": PIPELINE, "snowflake_database": DATABASE}
    with settings_of(tmp_path_factory.mktemp("snowflake"), **given):
        yield ran(dump), ran(dump, again=True)


@pytest.fixture(scope="module")
def snowflake(both: tuple[Ran, Ran]) -> Ran:
    """The first run of the day."""
    return both[0]


@pytest.fixture(scope="module")
def second(both: tuple[Ran, Ran]) -> Ran:
    """The second."""
    return both[1]


@contextmanager
def settings_of(home: Path, **given: Any) -> Iterator[None]:
    """Return settings as a user sets them, without the cache of readings."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("HNINTEL_", "SNOWFLAKE_"))]:
            patch.delenv(name)
        for setting, value in {"home": home, "cache_hours": 0, **given}.items():
            patch.setenv(variable(setting), str(value))
        yield
        assert [name for name in os.environ if transform.is_secret(name)] == []


def ran(dump: str, again: bool = False) -> Ran:
    """Run the day, or run all its stages again."""
    from flows.main import hacker_news

    warehouse = open_warehouse(load_settings())
    HISTORY.clear()
    told = asyncio.run(hacker_news(source=dump, again=again))
    sent = [one for one in HISTORY if one.database == DATABASE]
    return Ran(told, rows_of(warehouse), usage_of(warehouse), sent)


def rows_of(warehouse: Warehouse) -> dict[str, list[str]]:
    """Return the rows of each table, without values that depend on time or model."""
    with warehouse.transaction(stage="enrich") as session:
        tables = session.execute(
            "SELECT lower(table_schema), lower(table_name) FROM information_schema.tables "
            "WHERE table_type = 'BASE TABLE' ORDER BY 1, 2"
        )
        held = {
            f"{schema}.{table}": session.rows(f"SELECT * FROM {schema}.{table}")
            for schema, table in tables
            if schema in SCHEMAS
        }
    return {table: sorted(said(table, row) for row in rows) for table, rows in held.items()}


def said(table: str, row: dict[str, Any]) -> str:
    """Return a row as text, for sorting and comparing."""
    apart = VOLATILE | OF_THE_MODEL | (OF_THE_BRIEFING if table == "enriched.briefings" else frozenset())
    return repr({name: value for name, value in sorted(row.items()) if name not in apart})


def usage_of(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    """Return calls and tokens by stage and function."""
    with warehouse.transaction(stage="enrich") as session:
        return session.execute(
            "SELECT enrichment, function, counting, sum(calls), sum(input_tokens), sum(output_tokens) "
            "FROM ops.ai_usage GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )


def wants(sql: str) -> set[tuple[str, str]]:
    """Return (privilege, schema) of each table that a statement reads, writes or creates."""
    if verb_of(sql) not in ("select", "with", "insert", "update", "delete", "merge", "create"):
        return set()
    parsed = sqlglot.parse_one(sql, read="snowflake")
    if isinstance(parsed, exp.Create) and parsed.kind == "SCHEMA":  # that is granted on the database
        return set()
    found = {("SELECT", table.db.upper()) for table in parsed.find_all(exp.Table) if table.db}
    if isinstance(parsed, exp.DML | exp.Create) and (target := parsed.this.find(exp.Table)) and target.db:
        kinds = {"create": f"CREATE {parsed.args.get('kind')}", "merge": "UPDATE"}
        found.add((kinds.get(parsed.key, parsed.key.upper()), target.db.upper()))
    return {(privilege, schema) for privilege, schema in found if schema.lower() in (*SCHEMAS, "ops", "staging")}


def may(needs: Sequence[SchemaNeed], privilege: str, schema: str) -> bool:
    """Whether a role with the grants *needs* has a privilege in a schema; an owner has every privilege."""
    granted = {one for need in needs if need.schema == schema for one in (*need.on_schema, *need.on_objects)}
    return privilege in granted or ("OWNERSHIP" in granted and not privilege.startswith("CREATE"))


def test_the_day_comes_as_far_as_its_page(snowflake: Ran) -> None:
    assert snowflake.told["status"] == "complete"
    assert snowflake.told["dbt"]["models"] > 10
    assert snowflake.told["dbt"]["tests"] > 30
    assert snowflake.told["briefing"]["claims"] > 0
    assert Path(snowflake.told["page"]).is_file()


def test_every_table_holds_the_same_rows_as_on_duckdb(snowflake: Ran, embedded: Ran) -> None:
    assert snowflake.rows.keys() == embedded.rows.keys()
    for table, rows in embedded.rows.items():
        assert snowflake.rows[table] == rows, table
    empty = {table for table, rows in embedded.rows.items() if not rows}
    # No story of the sample was moved, none of its articles has a second address, and a first reading has no history.
    expected = {"raw.item_snapshots", "raw.listed_again", "raw.article_keys"}
    assert empty <= expected, "a table without a row would compare as equal whatever is wrong"


def test_as_much_is_asked_and_answered_as_on_duckdb(snowflake: Ran, embedded: Ran) -> None:
    assert snowflake.usage == embedded.usage
    assert {asker for asker, *_ in snowflake.usage} == {*snowflake.told["enrichments"], "briefing"}
    for told in ("listed", "items", "outcomes", "articles", "enrichments", "ai_calls", "tokens", "dbt", "dead_letters"):
        assert snowflake.told[told] == embedded.told[told], told


def test_a_second_run_asks_nothing_and_leaves_every_row_as_it_is(snowflake: Ran, second: Ran) -> None:
    assert second.told["skipped"] == []
    assert second.told["ai_calls"] == 0
    assert [one.sql for one in second.sent if ASKS.search(one.sql)] == []
    assert second.usage == snowflake.usage
    assert second.told["dbt"] == snowflake.told["dbt"]
    assert second.rows == snowflake.rows


def test_each_statement_is_tagged_with_the_stage_whose_role_and_warehouse_run_it(snowflake: Ran) -> None:
    of_stages = [one for one in snowflake.sent if one.role != PIPELINE]
    assert {(one.role, one.tag["stage"], one.warehouse) for one in of_stages} == {
        (role, stage, f"{stage.upper()}_WH") for role, stage in ROLES.items()
    }
    assert {one.tag["app"] for one in snowflake.sent} == {"hn-intelligence"}


def test_what_reads_asks_or_builds_is_tagged_with_its_run_and_day(snowflake: Ran) -> None:
    run = {"run": snowflake.told["run_id"], "day": DAY}
    asking = [one for one in snowflake.sent if ASKS.search(one.sql)]
    loading = [one for one in snowflake.sent if re.match(r"\s*MERGE INTO raw\.", one.sql)]
    building = [one for one in snowflake.sent if '"app": "dbt"' in one.sql]
    assert asking
    assert loading
    assert building
    for one in (*asking, *loading, *building):
        assert run.items() <= one.tag.items(), one.sql
    assert {one.tag["stage"] for one in loading} == {"ingest"}
    assert {one.tag["stage"] for one in building} == {"transform"}
    assert {one.tag["stage"] for one in asking} == {"enrich"}
    assert {one.tag["enrichment"] for one in asking} == {*snowflake.told["enrichments"], "briefing"}
    questions = {(one.tag["enrichment"], one.tag["fingerprint"]) for one in asking}
    assert len(questions) == len(snowflake.told["enrichments"]) + 1


def test_no_statement_needs_more_than_the_role_of_its_stage_is_granted(snowflake: Ran, second: Ran) -> None:
    wanted = {(one.role, *each) for one in (*snowflake.sent, *second.sent) for each in wants(one.sql)}
    needs = {role: schema_needs([stage]) for role, stage in ROLES.items()} | {PIPELINE: schema_needs(STAGES, True)}
    assert [one for one in sorted(wanted) if not may(needs[one[0]], *one[1:])] == []
    assert {
        ("PIPELINE", "CREATE TABLE", "RAW"),
        ("LOADER", "UPDATE", "RAW"),
        ("ENRICHER", "UPDATE", "ENRICHED"),
        ("ENRICHER", "SELECT", "MARTS"),
        ("TRANSFORMER", "DELETE", "MARTS"),
    } <= wanted
