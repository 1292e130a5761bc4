"""Sessions of the Snowflake adapter: transactions, query tags, roles, and lost sessions."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import fakesnow.server
import pytest

from hnintel.briefing.sections import answering
from hnintel.engines.base import Answer, Engine
from hnintel.enrich.declaration import load_enrichments
from hnintel.errors import ModelUnavailable, WarehouseError, WarehouseLost
from hnintel.settings.snowflake import Stage
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.base import Query, Step
from hnintel.warehouse.query_tags import tagged
from hnintel.warehouse.snowflake.adapter import SnowflakeWarehouse
from hnintel.warehouse.snowflake.link import Link
from hnintel.warehouse.statements import merge_rows, tokens
from tests.briefing.desk import Desk
from tests.enrichments.subjects import load_worthy
from tests.enrichments.test_bad_answers_and_crashes import EVERYTHING
from tests.snowflake_stand_in.history import HISTORY
from tests.snowflake_stand_in.mends import SENT
from tests.warehouse.test_warehouse_protocol import CHECK
from tests.warehouse.world import (
    DAY,
    Answering,
    Asking,
    fetch,
    fresh_snowflake,
    load,
    open_snowflake,
    settings_in,
    story,
)


@pytest.fixture
def warehouse(tmp_path: Path) -> SnowflakeWarehouse:
    """A migrated database of the stand-in, before any recorded statement."""
    warehouse = fresh_snowflake(tmp_path)
    fetch(warehouse, "SELECT 1")
    SENT.clear()
    return warehouse


def verbs() -> list[str]:
    return [" ".join(re.sub(r"\bOR REPLACE |IF EXISTS ", "", sql).split()[:2]).upper() for sql in SENT]


def forget_sessions() -> None:
    """End every session on the server; fakesnow then answers 401, where Snowflake has separate codes."""
    fakesnow.server.sessions.clear()


def test_settings_that_name_snowflake_open_it(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, warehouse="snowflake", snowflake_account="a", snowflake_user="u")
    assert isinstance(open_warehouse(settings), SnowflakeWarehouse)


def test_a_transaction_begins_with_the_first_write_after_all_tables_exist(warehouse: SnowflakeWarehouse) -> None:
    with warehouse.transaction(stage="enrich") as session:
        session.execute("SELECT count(*) FROM ops.checks")
        merge_rows(session, session.stage("ops.checks", [CHECK]), keys=("name",))
    sent = verbs()
    assert sent[0] == "SELECT COUNT(*)"
    assert sent[1] == "CREATE TEMPORARY"
    assert any(verb.startswith("COPY INTO") for verb in sent[2:-4])
    assert sent[-4:] == ["BEGIN", "MERGE INTO", "COMMIT", "DROP TABLE"]


def test_reading_begins_no_transaction(warehouse: SnowflakeWarehouse) -> None:
    fetch(warehouse, "SELECT count(*) FROM ops.checks")
    assert verbs() == ["SELECT COUNT(*)"]


def test_no_temporary_table_is_left_of_a_question(warehouse: SnowflakeWarehouse) -> None:
    load(warehouse, [story(1)])
    SENT.clear()
    steps = [Step("asked", f"SELECT item_id, {tokens('input')} AS tokens FROM pending")]
    warehouse.ask(
        Query("SELECT id AS item_id, title AS input FROM raw.items"), steps, lambda session: None, stage="enrich"
    )
    made = [re.findall(r"TABLE (\w+)", sql)[0] for sql in SENT if sql.startswith("CREATE")]
    dropped = [re.findall(r"EXISTS (\w+)", sql)[0] for sql in SENT if sql.startswith("DROP")]
    assert made == ["pending", "asked"]
    assert sorted(dropped) == sorted(made)


def test_statements_are_tagged_with_their_purpose_when_it_changes(warehouse: SnowflakeWarehouse) -> None:
    with tagged(run="r1", day=DAY):
        fetch(warehouse, "SELECT 1")
        fetch(warehouse, "SELECT 2")
        with tagged(enrichment="topic", fingerprint="f1"):
            fetch(warehouse, "SELECT 3")
    tags = [json.loads(sql.split(" = ")[1].strip("'")) for sql in SENT if "QUERY_TAG" in sql]
    told = {"app": "hn-intelligence", "stage": "enrich", "run": "r1", "day": str(DAY)}
    assert tags == [told, {**told, "enrichment": "topic", "fingerprint": "f1"}]


def test_an_enrichment_tags_what_it_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Asking, "opens", staticmethod(fresh_snowflake))
    asking = Asking(tmp_path)
    enrichment = load_enrichments()["topic"]
    load_worthy(asking, enrichment, most=2)
    HISTORY.clear()
    asking.run(enrichment, "the-run")
    (told,) = [one.tag for one in HISTORY if "AI_CLASSIFY(" in one.sql]
    assert (told["stage"], told["run"], told["day"], told["enrichment"]) == ("enrich", "the-run", str(DAY), "topic")
    assert told["fingerprint"]


def noted_logins(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Record the session parameters of later logins."""
    from hnintel.warehouse.snowflake import link

    found: list[dict[str, Any]] = []
    arguments = link.connection_arguments

    def noting(*given: Any) -> dict[str, Any]:
        made = arguments(*given)
        found.append({**made["session_parameters"], **{name: made.get(name) for name in ("role", "warehouse")}})
        return made

    monkeypatch.setattr(link, "connection_arguments", noting)
    return found


STAGES: tuple[Stage, ...] = get_args(Stage)


def test_each_stage_has_its_role_and_warehouse_and_the_common_role_creates_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = noted_logins(monkeypatch)
    given = {f"snowflake_{what}_{stage}": f"{stage}_{what}" for what in ("role", "warehouse") for stage in STAGES}
    base = open_snowflake(tmp_path)
    warehouse = SnowflakeWarehouse(base._settings.model_copy(update={**given, "snowflake_role": "all_role"}))
    for stage in STAGES:
        fetch(warehouse, "SELECT 1", stage=stage)
    assert [(one["role"], one["warehouse"]) for one in logins] == [
        ("all_role", "ingest_warehouse"),
        *((f"{stage}_role", f"{stage}_warehouse") for stage in STAGES),
    ]


def test_an_expired_session_is_replaced_silently(warehouse: SnowflakeWarehouse) -> None:
    forget_sessions()
    load(warehouse, [story(1)])
    assert fetch(warehouse, "SELECT id FROM raw.items") == [(1,)]


def test_a_session_lost_in_a_transaction_is_reported_and_nothing_is_sent_twice(warehouse: SnowflakeWarehouse) -> None:
    def lost() -> None:
        with warehouse.transaction(stage="enrich") as session:
            session.execute("DELETE FROM ops.checks WHERE name = ?", ["n"])
            forget_sessions()
            session.execute("DELETE FROM ops.checks WHERE name = ?", ["m"])

    with pytest.raises(WarehouseLost, match=r"delete ops\.checks: "):
        lost()
    assert fetch(warehouse, "SELECT 1") == [(1,)]  # and it goes on in another


def test_the_error_of_a_statement_names_its_verb_and_table_but_no_value(warehouse: SnowflakeWarehouse) -> None:
    with pytest.raises(WarehouseError) as refused:
        fetch(warehouse, "SELECT a_secret FROM raw.nowhere WHERE title = 'the words of a page'")
    assert "raw.nowhere" in str(refused.value).lower()
    assert "words of a page" not in str(refused.value)


@pytest.fixture
def with_fallback(tmp_path: Path) -> SnowflakeWarehouse:
    """An account with a model set for one enrichment, and a fall-back."""
    settings = settings_in(
        tmp_path, snowflake_account="a", cortex_models={"topic": "small"}, cortex_fallback_model="everywhere"
    )
    return SnowflakeWarehouse(settings)


def test_a_model_is_that_of_the_enrichment_then_the_declared_then_the_fall_back(
    with_fallback: SnowflakeWarehouse,
) -> None:
    model = with_fallback.model
    assert (model("large", "topic"), model("large", "entities")) == ("small", "large")
    assert with_fallback.fall_back("large")
    assert (model("large", "topic"), model("large", "entities")) == ("small", "everywhere")
    assert not with_fallback.fall_back("everywhere")


def test_the_briefing_may_have_a_model_of_its_own(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, snowflake_account="a", cortex_models={"briefing": "small"})
    assert answering(SnowflakeWarehouse(settings)) == "small"


class Regional(Answering):
    """A region with a single model."""

    def complete(self, model: str, *given: Any) -> Any:
        if model != "everywhere":
            raise RuntimeError(f"unknown model {model}")
        return super().complete(model, *given)


class ByRow(Answering):
    """The same region, which reports the error in each row of a successful statement."""

    def complete(self, model: str, prompts: Sequence[str | None], *given: Any) -> list[Answer]:
        if model != "everywhere":
            return [Answer(error=f'400 "unknown model \\"{model}\\""')] * len(prompts)
        return super().complete(model, prompts, *given)


def prices_in(folder: Path) -> Path:
    """A price list on which the models of these tests are free."""
    one = '[[price]]\nmodel = "{}"\nfrom = 2026-01-01\ninput = 0\noutput = 0\n'
    (folder / "prices.toml").write_text("".join(map(one.format, MODELS)))
    return folder / "prices.toml"


@pytest.mark.parametrize("region", [Regional, ByRow])
@pytest.mark.parametrize("fallback", ["everywhere", None])
@pytest.mark.slow
@pytest.mark.server
def test_a_region_without_the_model_uses_the_fall_back_and_reports_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fallback: str | None, region: type[Answering]
) -> None:
    def opens(folder: Path, engine: Engine) -> SnowflakeWarehouse:
        here = fresh_snowflake(folder, engine)
        return SnowflakeWarehouse(here._settings.model_copy(update={"cortex_fallback_model": fallback}))

    monkeypatch.setattr(Asking, "opens", staticmethod(opens))
    asking = Asking(tmp_path, region(), prices_path=prices_in(tmp_path))
    load(asking.warehouse, [story(1)])
    if fallback is None:
        with pytest.raises(ModelUnavailable, match="HNINTEL_CORTEX_FALLBACK_MODEL"):
            asking.run(EVERYTHING)
        assert asking.letters() == []
        return
    assert asking.run(EVERYTHING).answered == 1
    assert [row["model"] for row in asking.answers(EVERYTHING)] == ["everywhere"]
    assert asking.run(EVERYTHING).asked == 0


@pytest.mark.slow
@pytest.mark.server
def test_answers_of_the_fall_back_replace_answers_of_the_lost_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The view selects the model that answers, also if that changes during a run."""

    def opens(folder: Path, engine: Engine) -> SnowflakeWarehouse:
        here = fresh_snowflake(folder, engine)
        return SnowflakeWarehouse(here._settings.model_copy(update={"cortex_fallback_model": "everywhere"}))

    monkeypatch.setattr(Asking, "opens", staticmethod(opens))
    asking = Asking(tmp_path, Answering(), prices_path=prices_in(tmp_path))
    load(asking.warehouse, [story(1)])
    asking.run(EVERYTHING, "before")
    assert [row["model"] for row in asking.answers(EVERYTHING)] == ["a-model"]

    asking.engine.engine = Regional()  # the region has lost the model
    load(asking.warehouse, [story(2)])
    assert asking.run(EVERYTHING, "after").answered == 2
    shown = [(row["item_id"], row["model"], row["run_id"]) for row in asking.answers(EVERYTHING)]
    assert shown == [(1, "everywhere", "after"), (2, "everywhere", "after")]


@pytest.mark.slow
@pytest.mark.server
def test_the_briefing_falls_back_too(tmp_path: Path) -> None:
    def opens(folder: Path, engine: Engine | None = None) -> SnowflakeWarehouse:
        here = fresh_snowflake(folder, engine)
        given = {"cortex_fallback_model": "everywhere", "cortex_models": (("briefing", "a-model"),)}
        return SnowflakeWarehouse(here._settings.model_copy(update=given))

    desk = Desk(tmp_path, ByRow(), opens, prices_path=prices_in(tmp_path))
    desk.load([story(1), story(2)])
    assert desk.write().anew
    assert {row["model"] for row in desk.rows("SELECT model FROM enriched.briefings")} == {"everywhere"}


def test_a_failed_row_does_not_count_as_a_missing_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def once(text: str, good: Answer) -> Answer:
        return Answer(error="unknown model x") if "number 1 " in text else good

    monkeypatch.setattr(Asking, "opens", staticmethod(fresh_snowflake))
    asking = Asking(tmp_path, Answering(once))
    load(asking.warehouse, [story(1), story(2)])
    came = asking.run(EVERYTHING)
    assert (came.answered, came.failed) == (1, 1)


MODELS = ("a-model", "everywhere")


class Uncountable(Answering):
    """An account that cannot count tokens: its function returns NULL without an error."""

    def count_tokens(self, text: str) -> Any:
        return None


def test_where_tokens_cannot_be_counted_the_length_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Asking, "opens", staticmethod(fresh_snowflake))
    asking = Asking(tmp_path, Uncountable())
    load(asking.warehouse, [story(1)])
    came = asking.run(EVERYTHING)
    assert came.answered == 1
    assert came.input_tokens > len(EVERYTHING.overhead) / 4
    assert came.output_tokens > 0


def test_without_a_fall_back_there_is_none(tmp_path: Path) -> None:
    warehouse = SnowflakeWarehouse(settings_in(tmp_path, snowflake_account="a"))
    assert not warehouse.fall_back("large")
    assert warehouse.model("large") == "large"


def test_a_session_that_ends_after_the_commit_undoes_nothing(
    warehouse: SnowflakeWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    sends = Link.send

    def lost_after_commit(self: Link, sql: str, params: Any = ()) -> Any:
        done = sends(self, sql, params)
        if sql == "COMMIT":
            forget_sessions()
        return done

    monkeypatch.setattr(Link, "send", lost_after_commit)
    load(warehouse, [story(1)])
    assert fetch(warehouse, "SELECT id FROM raw.items") == [(1,)]
