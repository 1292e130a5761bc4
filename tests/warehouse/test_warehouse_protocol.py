"""The protocol of every warehouse: transactions, bulk loads and merges, questions to AI functions, content hashes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from hnintel.errors import HnIntelError, WarehouseBusy, WarehouseError
from hnintel.ledger import leases
from hnintel.partitions import hours
from hnintel.settings import Settings
from hnintel.warehouse.base import Kind, Query, Session, Step, Warehouse
from hnintel.warehouse.statements import merge_rows, tokens
from hnintel.warehouse.table_hashes import changed, contents
from hnintel.window import Window
from tests.warehouse.world import DAY, NOW, Opens, Recording, fetch, load, story

CHECK = {"run_id": "r", "day": DAY, "name": "n", "blocking": True, "passed": True, "detail": None, "checked_at": NOW}
ARTICLE = {
    "canonical_url": "https://a.example/1",
    "url": "https://a.example/1",
    "status": "ok",
    "text": "as it was",
    "attempts": 1,
    "run_id": "r",
    "fetched_at": NOW,
}


def keep(warehouse: Warehouse, table: str, *rows: Mapping[str, Any], **how: Any) -> tuple[int, int]:
    with warehouse.transaction(stage="enrich") as session:
        return merge_rows(session, session.stage(table, rows), **how)


# Transactions


def test_a_transaction_without_a_stage_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(TypeError, match="stage"):
        warehouse.transaction()  # type: ignore[call-arg]


def test_a_question_without_a_stage_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(TypeError, match="stage"):
        warehouse.ask(Query(_PENDING), [], lambda session: None)  # type: ignore[call-arg]


def test_the_next_transaction_sees_committed_rows(warehouse: Warehouse) -> None:
    keep(warehouse, "ops.checks", CHECK, keys=("name",))
    assert fetch(warehouse, "SELECT name, day, passed FROM ops.checks") == [("n", DAY, True)]


def test_a_transaction_that_raises_is_rolled_back(warehouse: Warehouse) -> None:
    def half() -> None:
        with warehouse.transaction(stage="enrich") as session:
            merge_rows(session, session.stage("ops.checks", [CHECK]), keys=("name",))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert fetch(warehouse, "SELECT * FROM ops.checks") == []


def test_a_refused_statement_is_reported_in_a_line_and_rolls_back(warehouse: Warehouse) -> None:
    def half() -> None:
        with warehouse.transaction(stage="enrich") as session:
            merge_rows(session, session.stage("ops.checks", [CHECK]), keys=("name",))
            session.execute("SELECT no_such_column FROM ops.checks")

    with pytest.raises(WarehouseError, match=r"(?i)no_such_column") as refused:
        half()
    assert "\n" not in str(refused.value)
    assert fetch(warehouse, "SELECT * FROM ops.checks") == []


def test_two_threads_take_turns_and_lose_no_row(opens_new: Opens, tmp_path: Path) -> None:
    # Two warehouses on one place, as two threads that open it at the same moment get them.
    both = [opens_new(tmp_path), opens_new(tmp_path)]
    start = threading.Barrier(2)

    def count(which: int) -> None:
        start.wait()
        for number in range(5):
            with both[which].transaction(stage="enrich") as session:
                before = session.execute("SELECT count(*) FROM ops.checks")[0][0]
                staged = session.stage("ops.checks", [{**CHECK, "name": f"{which}-{number}"}])
                merge_rows(session, staged, keys=("name",))
                assert session.execute("SELECT count(*) FROM ops.checks")[0][0] == before + 1

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(count, range(2)))
    assert fetch(both[0], "SELECT count(DISTINCT name) FROM ops.checks") == [(10,)]


def test_tables_are_created_before_the_first_write_of_a_transaction(warehouse: Warehouse) -> None:
    """Otherwise Snowflake would commit the first half of it; so every warehouse refuses it."""

    def too_late(makes: Callable[[Session], object], writes: str) -> None:
        with warehouse.transaction(stage="enrich") as session:
            session.execute(writes)
            makes(session)

    written = "-- a comment\nINSERT INTO ops.schema_versions VALUES (9001, '9001_later', TIMESTAMP '2030-01-01')"
    made: list[Callable[[Session], object]] = [
        lambda session: session.stage("ops.checks", [CHECK]),
        lambda session: session.execute("CREATE TABLE enriched.late (a BIGINT)"),
        lambda session: session.execute("/* so */ ALTER TABLE ops.checks ADD COLUMN late BIGINT"),
    ]
    for makes in made:
        with pytest.raises(RuntimeError, match="after the first write"):
            too_late(makes, written)
    assert fetch(warehouse, "SELECT * FROM ops.schema_versions WHERE version = 9001") == []


def test_several_sets_are_staged_side_by_side(warehouse: Warehouse) -> None:
    with warehouse.transaction(stage="enrich") as session:
        checks = session.stage("ops.checks", [CHECK])
        more = session.stage("ops.checks", [{**CHECK, "name": "m"}])
        articles = session.stage("raw.articles", [ARTICLE])
        assert merge_rows(session, more, keys=("name",)) == (1, 0)
        assert merge_rows(session, checks, keys=("name",)) == (1, 0)
        assert merge_rows(session, articles, keys=("canonical_url",)) == (1, 0)
    assert fetch(warehouse, "SELECT name FROM ops.checks ORDER BY name") == [("m",), ("n",)]


# Loading and merging


def test_staged_rows_are_stored_unchanged(warehouse: Warehouse) -> None:
    texts = [
        "",
        " ",
        "it's",
        "a\\b",
        'say "x"',
        "日本語",
        "שלום עולם",
        "👩‍👩‍👧",
        "line\nline\ttab",
        "%s ? $1 {{ x }}",
        "x" * 100_000,
    ]
    rows = [{**CHECK, "name": str(place), "detail": text} for place, text in enumerate(texts)]
    keep(warehouse, "ops.checks", *rows, keys=("name",))
    found = dict(fetch(warehouse, "SELECT name, detail FROM ops.checks"))
    assert [found[str(place)] for place in range(len(texts))] == texts


def test_dates_times_nulls_and_null_columns_are_stored_unchanged(warehouse: Warehouse) -> None:
    rows = [{**CHECK, "name": name, "day": date(1970, 1, 1), "checked_at": datetime(9999, 12, 31)} for name in "ab"]
    keep(warehouse, "ops.checks", *rows, keys=("name",))
    assert (
        fetch(warehouse, "SELECT day, detail, checked_at FROM ops.checks ORDER BY name")
        == [(date(1970, 1, 1), None, datetime(9999, 12, 31))] * 2
    )


def test_lists_are_stored_unchanged(warehouse: Warehouse) -> None:
    kind = warehouse.dialect.type_name("list")
    lists = [["a", 'it\'s, "b"'], [], None]
    with warehouse.transaction(stage="enrich") as session:
        session.execute(f"CREATE TABLE enriched.lists (id BIGINT NOT NULL PRIMARY KEY, names {kind})")
        rows = [{"id": place, "names": one} for place, one in enumerate(lists)]
        merge_rows(session, session.stage("enriched.lists", rows))
    assert [row[0] for row in fetch(warehouse, "SELECT names FROM enriched.lists ORDER BY id")] == lists


def test_a_merge_counts_inserted_and_updated_rows(warehouse: Warehouse) -> None:
    rows = [{**CHECK, "name": name, "detail": "before"} for name in "abc"]
    assert keep(warehouse, "ops.checks", *rows, keys=("name",)) == (3, 0)
    later = [
        {**CHECK, "name": name, "detail": detail} for name, detail in [("a", "after"), ("b", "before"), ("d", "d")]
    ]
    assert keep(warehouse, "ops.checks", *later, keys=("name",), differs="detail") == (1, 1)
    assert fetch(warehouse, "SELECT name, detail FROM ops.checks ORDER BY name") == [
        ("a", "after"),
        ("b", "before"),
        ("c", "before"),
        ("d", "d"),
    ]


def test_merging_no_rows_sends_no_statement(warehouse: Warehouse) -> None:
    assert keep(warehouse, "ops.checks", keys=("name",)) == (0, 0)


def test_a_protected_row_stays_and_a_new_row_is_inserted(warehouse: Warehouse) -> None:
    keep(warehouse, "raw.articles", ARTICLE, keys=("canonical_url",))
    worse = {**ARTICLE, "status": "gone", "text": None}
    other = {**worse, "canonical_url": "https://a.example/2"}
    assert keep(warehouse, "raw.articles", worse, other, keys=("canonical_url",), keep_existing="status = 'ok'") == (
        1,
        0,
    )
    assert keep(
        warehouse, "raw.articles", {**worse, "text": ""}, keys=("canonical_url",), keep_when="status = 'gone'"
    ) == (0, 0)
    assert fetch(warehouse, "SELECT status, text FROM raw.articles ORDER BY canonical_url") == [
        ("ok", "as it was"),
        ("gone", None),
    ]


def test_a_value_of_the_wrong_type_is_reported_without_the_value(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="cannot be loaded") as refused:
        keep(warehouse, "ops.checks", {**CHECK, "detail": "half a pair \ud83d of a secret page"}, keys=("name",))
    assert "ops.checks" in str(refused.value)
    assert "secret" not in str(refused.value)


# Asking

_PENDING = "SELECT id AS item_id, title AS input FROM raw.items ORDER BY id"


def ask_all(warehouse: Warehouse, pending: str = _PENDING, call: str = "AI_CLASSIFY(input, ['good', 'bad'])") -> Any:
    steps = [
        Step("asked", f"SELECT item_id, {warehouse.dialect.with_error_details(call)} AS answer FROM pending"),
        Step("counted", f"SELECT *, {tokens('CAST(answer AS VARCHAR)')} AS tokens FROM asked"),
    ]
    return warehouse.ask(
        Query(pending), steps, lambda session: session.rows("SELECT * FROM counted ORDER BY item_id"), stage="enrich"
    )


def test_nothing_is_asked_if_nothing_is_pending(warehouse: Warehouse, engine: Recording) -> None:
    assert ask_all(warehouse) is None
    assert engine.texts == []


def test_every_row_is_asked_about_once(warehouse: Warehouse, engine: Recording) -> None:
    titles = [f"Great database release {number}" for number in range(1, 3001)]  # more than one vector of DuckDB's
    load(warehouse, [story(number, title) for number, title in enumerate(titles, 1)])
    rows = ask_all(warehouse)
    assert sorted(engine.texts) == sorted(titles)
    assert [row["item_id"] for row in rows] == list(range(1, 3001))
    assert all(row["tokens"] > 0 for row in rows)


def test_a_row_is_asked_about_once_whatever_stands_around_the_call(warehouse: Warehouse, engine: Recording) -> None:
    load(warehouse, [story(number) for number in range(1, 21)])
    call = "AI_CLASSIFY(pending.input, ['good', 'bad'])"
    asked = [
        f"SELECT pending.item_id, {call} AS answer FROM pending QUALIFY row_number() OVER (ORDER BY item_id) > 0",
        f"SELECT pending.item_id, {call} AS answer FROM pending JOIN pending AS other USING (item_id)",
        f"SELECT * FROM (SELECT item_id, {call} AS answer FROM pending) WHERE answer IS NOT NULL",
        f"SELECT item_id, {call} AS answer FROM pending ORDER BY item_id DESC",
    ]
    for sql in asked:
        engine.texts.clear()
        warehouse.ask(Query(_PENDING), [Step("asked", sql)], lambda session: None, stage="enrich")
        assert len(engine.texts) == 20, sql


def test_the_answers_of_the_last_step_are_visible_in_the_storing_transaction(warehouse: Warehouse) -> None:
    load(warehouse, [story(1)])

    def keep_and_fail(session: Session) -> None:
        assert session.execute("SELECT count(*) FROM asked") == [(1,)]
        merge_rows(session, session.stage("ops.checks", [CHECK]), keys=("name",))
        raise ValueError("the process is stopped here")

    steps = [Step("asked", f"SELECT item_id, {tokens('input')} AS tokens FROM pending")]
    with pytest.raises(ValueError, match="stopped"):
        warehouse.ask(Query(_PENDING), steps, keep_and_fail, stage="enrich")
    assert fetch(warehouse, "SELECT * FROM ops.checks") == []


def test_others_can_use_the_warehouse_while_a_question_is_answered(opens: Opens, tmp_path: Path) -> None:
    class Slow(Recording):
        def classify(self, texts: Sequence[str | None], *given: Any) -> Any:
            # Another thread must get its turn before this answer is there; else it waits here for good.
            with ThreadPoolExecutor(1) as pool:
                pool.submit(fetch, warehouse, "SELECT count(*) FROM raw.items").result(timeout=30)
            return super().classify(texts, *given)

    warehouse = opens(tmp_path, Slow())
    load(warehouse, [story(1)])
    assert len(ask_all(warehouse)) == 1


# JSON answers


@pytest.mark.parametrize(
    ("kind", "fits", "does_not"),
    [
        (
            "text",
            {'"words"': "words", '""': "", '"it\'s \\"x\\" \\\\ 😀"': 'it\'s "x" \\ 😀'},
            ["3", "true", "null", '["a"]', "{}"],
        ),
        ("number", {"0.5": 0.5, "-3": -3.0, "1e3": 1000.0}, ['"0.5"', "true", "null", "[1]", '"nan"']),
        ("integer", {"3": 3, "3.0": 3, "-1": -1}, ["3.7", '"3"', "true", "null", "[3]", "1e30"]),
        ("boolean", {"true": True, "false": False}, ['"true"', "1", "null"]),
        ("list", {'["a", "b"]': ["a", "b"], "[]": []}, ['"a"', '["a", null]', "[1]", '[["a"]]', '{"0": "a"}', "null"]),
    ],
)
def test_an_answer_is_read_with_its_type_or_as_null(
    warehouse: Warehouse, kind: Any, fits: dict[str, Any], does_not: list[str]
) -> None:
    def read(answer: str) -> Any:
        return read_json(warehouse, f'{{"value": {{"a": [{{"b": {answer}}}]}}, "error": null}}', "value.a[0].b", kind)

    assert {answer: read(answer) for answer in fits} == fits
    assert {answer: read(answer) for answer in does_not} == dict.fromkeys(does_not)


def test_a_value_missing_from_an_answer_is_null(warehouse: Warehouse) -> None:
    for answer in ('{"value": {"b": 1}}', '{"value": null, "error": "x"}', '{"value": "a"}', "null"):
        assert read_json(warehouse, answer, "value.a", "text") is None


def read_json(warehouse: Warehouse, answer: str, path: str, kind: Kind) -> Any:
    expression = warehouse.dialect.from_json("answer", path, kind)
    return fetch(warehouse, f"SELECT {expression} FROM (SELECT CAST(? AS VARCHAR) AS answer) AS t", [answer])[0][0]


# Content hashes


def test_hashes_do_not_depend_on_time_or_order_of_loading(opens: Opens, tmp_path: Path) -> None:
    items = [story(number) for number in range(1, 6)]
    one, other = opens(tmp_path / "one"), opens(tmp_path / "other")
    load(one, items)
    load(other, list(reversed(items)), run_id="another", now=datetime(2030, 1, 1))
    assert hashes(one) == hashes(other)


def test_hashes_change_with_every_value(warehouse: Warehouse) -> None:
    load(warehouse, [story(1)])
    before = hashes(warehouse)
    for statement in (
        "UPDATE raw.items SET title = 'another'",
        "UPDATE raw.items SET url = ''",  # from NULL
        "INSERT INTO raw.item_snapshots VALUES (9, TIMESTAMP '2026-10-22', 1, 1, NULL, 'r')",
        "DELETE FROM raw.items",
    ):
        with warehouse.transaction(stage="enrich") as session:
            session.execute(statement)
        after = hashes(warehouse)
        assert changed(before, after) == ["raw.item_snapshots" if "snapshots" in statement else "raw.items"]
        before = after


def test_a_duplicate_row_changes_the_hash(warehouse: Warehouse) -> None:
    seen = set()
    for _ in range(3):
        with warehouse.transaction(stage="enrich") as session:
            session.execute("CREATE TABLE IF NOT EXISTS enriched.twice (a BIGINT)")
        seen.add(hashes(warehouse)["enriched.twice"])
        with warehouse.transaction(stage="enrich") as session:
            session.execute("INSERT INTO enriched.twice VALUES (1)")
    assert len(seen) == 3


def test_a_new_or_missing_table_is_a_change() -> None:
    assert changed({"raw.a": "1", "raw.b": "1"}, {"raw.b": "1", "raw.c": "1"}) == ["raw.a", "raw.c"]


def hashes(warehouse: Warehouse) -> dict[str, str]:
    with warehouse.transaction(stage="enrich") as session:
        return contents(session, warehouse)


# Leases


def test_a_day_leased_by_another_run_is_not_run_concurrently(opens: Opens, tmp_path: Path) -> None:
    first, second, soon = opens(tmp_path), opens(tmp_path), Settings(home=tmp_path, lock_wait=0.1)
    with leases.lease(first, DAY, "ingest", "run-a", soon):
        with pytest.raises(WarehouseBusy, match="run-a") as busy, leases.lease(second, DAY, "ingest", "run-b", soon):
            pass
        assert str(DAY) in str(busy.value)
        with leases.lease(second, date(2026, 10, 20), "ingest", "run-b", soon):
            pass  # another day is free
    with leases.lease(second, DAY, "ingest", "run-b", soon):
        pass


def test_a_lease_ends_with_its_block_also_after_an_error(warehouse: Warehouse, tmp_path: Path) -> None:
    for attempt in range(2):
        with (
            pytest.raises(HnIntelError, match="stopped"),
            leases.lease(warehouse, DAY, "ingest", f"run-{attempt}", Settings(home=tmp_path, lock_wait=0)),
        ):
            raise HnIntelError("stopped")


def test_hours_that_were_read_are_recorded_counted_and_deleted(warehouse: Warehouse) -> None:
    load(warehouse, [story(1), story(2)])
    day = Window.of(DAY, "America/New_York")
    with warehouse.transaction(stage="enrich") as session:
        hours.note_read(session, hours.hours_of(day)[:2], "sample", "r", NOW)
    with warehouse.transaction(stage="enrich") as session:
        assert [one.number for one in hours.hours_due(session, day, "sample", day.end)] == list(range(2, 24))
        hours.note_read(session, hours.hours_of(day)[:1], "live", "r", NOW)
        assert [one.number for one in hours.hours_due(session, day, "live", day.end)] == list(range(1, 24))
        assert [one.number for one in hours.hours_due(session, day, "sample", day.end)] == list(range(2, 24))
        hours.forget(session, DAY, "live")
        assert list(hours.read_at(session, DAY, DAY, "sample")[DAY]) == ["ingest:00", "ingest:01"]
        hours.forget(session, DAY, "sample")
        assert hours.read_at(session, DAY, DAY) == {}
