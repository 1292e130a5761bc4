"""What the checks of a day catch, and what they leave alone: real faults in a real warehouse."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from hnintel.checks.run import day_to_check, refuse_if_blocked, stop_if_blocked
from hnintel.enrich.declaration import load_enrichments
from hnintel.enrich.question import fingerprint_of
from hnintel.errors import QualityError, UsageError, WarehouseError
from hnintel.warehouse.table_hashes import contents
from tests.unit.checked_days import A_DAY, TUESDAY, Checked
from tests.warehouse.world import bury

FIVE_WEEKS = 35
LATER = datetime(2026, 10, 22)


@pytest.fixture
def checked(tmp_path: Path) -> Checked:
    """Five weeks of healthy days."""
    return Checked(tmp_path / "home", FIVE_WEEKS)


@pytest.fixture
def short(tmp_path: Path) -> Checked:
    """Three healthy days, as the bundled sample has."""
    return Checked(tmp_path / "home", 3)


# --- healthy data ----------------------------------------------------------------------------------------------------


def test_healthy_days_pass_every_check_there_is(checked: Checked) -> None:
    results = checked.check()
    assert {name: one.detail for name, one in results.items() if not one.passed} == {}
    assert results.keys() == {
        "ingest: there are items",
        "ingest: as many items as usual",
        "ingest: no item twice",
        "ingest: no comment twice",
        "ingest: statuses of items",
        "ingest: statuses of comments",
        "ingest: items lost",
        "ingest: comments lost",
        "articles: pages given up",
        "articles: statuses as usual",
        "tone: unanswered",
        "tone: tone is there",
        "tone: tone is one of its values",
        "tone: tone as usual",
        "tone: certainty is there",
        "tone: certainty is in its range",
        "tone: reason is there",
        "tone: reasons are short",
    }
    assert results["ingest: as many items as usual"].detail == "60 items; usually 60 on a Tuesday (60 to 60 in 4 weeks)"
    assert results["tone: tone as usual"].detail.startswith("0.00 from the 28 days before")


def test_with_three_days_there_is_not_enough_to_compare_and_that_is_said(short: Checked) -> None:
    results = short.check()
    assert all(one.passed for one in results.values())
    assert results["ingest: as many items as usual"].detail == (
        "60 items; not enough to judge: 0 of the last weeks have this weekday"
    )
    assert results["tone: tone as usual"].detail == (
        "not enough to judge: answers 60 (needs 30), earlier days 2 (needs 7)"
    )


def test_an_enrichment_that_was_never_asked_cannot_be_judged(tmp_path: Path) -> None:
    results = Checked(tmp_path / "home").check()
    assert {name: one.detail for name, one in results.items() if name.startswith("tone")} == {
        "tone: unanswered": "nothing to judge: it was never asked"
    }


def test_a_handful_of_answers_is_too_few_to_call_it_drift(checked: Checked) -> None:
    checked.sql("DELETE FROM enriched.tone WHERE item_id % 1000 >= 29 AND item_id // 1000 = ?", TUESDAY.toordinal())
    checked.sql("UPDATE enriched.tone SET tone = 'bad' WHERE item_id // 1000 = ?", TUESDAY.toordinal())
    assert checked.failed() == {}


# --- what was read ---------------------------------------------------------------------------------------------------


def _remove(checked: Checked, day: date, but: int) -> None:
    checked.sql("DELETE FROM raw.items WHERE day = ? AND id % 1000 >= ?", day, but)


def test_half_the_usual_items_of_a_weekday_are_a_warning_with_the_figures(checked: Checked) -> None:
    _remove(checked, TUESDAY, but=30)
    assert checked.failed() == {
        "ingest: as many items as usual": ("warning", "30 items; usually 60 on a Tuesday (60 to 60 in 4 weeks)")
    }


@pytest.mark.parametrize(("rows", "warned"), [(39, True), (40, False), (90, False), (91, True)])
def test_items_may_be_fewer_or_more_by_half_as_many_again(tmp_path: Path, rows: int, warned: bool) -> None:
    one = Checked(tmp_path / "home", FIVE_WEEKS)
    day = TUESDAY + timedelta(days=7)
    one.days(1, rows=rows, last=day)
    assert ("ingest: as many items as usual" in one.failed(day=day)) is warned


def test_a_quiet_weekday_is_held_against_its_own_kind(checked: Checked) -> None:
    for weeks in range(5):
        _remove(checked, TUESDAY - timedelta(days=2 + 7 * weeks), but=32)
    assert checked.failed(day=TUESDAY - timedelta(days=2)) == {}


def test_a_day_that_was_not_over_when_it_was_read_is_not_called_short(checked: Checked) -> None:
    _remove(checked, TUESDAY, but=10)
    checked.sql("UPDATE ops.partitions SET finished_at = ? WHERE day = ?", datetime(2026, 10, 21, 3, 59), TUESDAY)
    results = checked.check()
    assert results["ingest: as many items as usual"].passed
    assert "the day was not over when it was read" in results["ingest: as many items as usual"].detail
    checked.sql("UPDATE ops.partitions SET finished_at = ? WHERE day = ?", datetime(2026, 10, 21, 4, 0), TUESDAY)
    assert "ingest: as many items as usual" in checked.failed()  # midnight in New York: it was over


def test_no_items_where_there_usually_are_many_blocks(checked: Checked) -> None:
    _remove(checked, TUESDAY, but=0)
    assert checked.failed(parts=["ingest"])["ingest: there are items"] == (
        "failed",
        "no items; usually 60 a day in the last 28 days",
    )


def test_no_items_where_there_are_usually_few_or_none_passes(tmp_path: Path) -> None:
    one = Checked(tmp_path / "home")
    assert one.failed() == {}
    one.days(FIVE_WEEKS, rows=5)
    _remove(one, TUESDAY, but=0)
    assert one.failed() == {}


@pytest.mark.parametrize(("table", "name"), [("items", "no item twice"), ("comments", "no comment twice")])
def test_an_id_that_is_there_twice_blocks_where_the_warehouse_holds_no_keys(
    checked: Checked, table: str, name: str
) -> None:
    # As on Snowflake, which records keys and does not hold them.
    with checked.warehouse.transaction(stage="enrich") as session:
        session.execute(f"CREATE TABLE raw.keyless AS SELECT * FROM raw.{table}")
        session.execute(f"DROP TABLE raw.{table}")
        session.execute(f"ALTER TABLE raw.keyless RENAME TO {table}")
        session.execute(f"INSERT INTO raw.{table} SELECT * FROM raw.{table} WHERE id = ?", [TUESDAY.toordinal() * 1000])
    outcome, detail = checked.failed()[f"ingest: {name}"]
    assert outcome == "failed"
    assert detail == f"1 of 60 {table} are copies (1.7%)"
    assert f"ingest: {name}" not in checked.failed(day=TUESDAY - timedelta(days=1))


@pytest.mark.parametrize("table", ["items", "comments"])
def test_a_status_that_nobody_knows_is_a_warning(checked: Checked, table: str) -> None:
    checked.sql(f"UPDATE raw.{table} SET status = 'flagged' WHERE id % 1000 < 3")
    assert checked.failed() == {
        f"ingest: statuses of {table}": (
            "warning",
            "3 of 60 have another status than ok, dead, deleted, null (5.0%)",
        )
    }


@pytest.mark.parametrize(("lost", "warned"), [(3, False), (4, True)])
def test_more_than_a_twentieth_of_the_items_lost_is_a_warning(checked: Checked, lost: int, warned: bool) -> None:
    bury(checked.warehouse, "items", map(str, range(lost)), now=LATER, day=TUESDAY)
    assert ("ingest: items lost" in checked.failed()) is warned
    assert checked.failed(day=TUESDAY - timedelta(days=1)) == {}


# --- what was answered -----------------------------------------------------------------------------------------------


def _answers(checked: Checked, change: str, rows: int = A_DAY) -> None:
    """Change the first *rows* answers of the day."""
    first = TUESDAY.toordinal() * 1000
    checked.sql(f"UPDATE enriched.tone SET {change} WHERE item_id >= ? AND item_id < ?", first, first + rows)


def test_labels_that_have_all_become_one_are_a_warning_that_names_it(checked: Checked) -> None:
    _answers(checked, "tone = 'good'")
    assert checked.failed() == {
        "tone: tone as usual": (
            "warning",
            "0.67 from the 28 days before, of which 0.07 is chance with 60 answers; moved most: good 33% → 100%",
        )
    }


def test_a_drift_within_what_is_allowed_beyond_chance_passes(checked: Checked) -> None:
    _answers(checked, "tone = CASE WHEN tone = 'bad' THEN 'good' ELSE tone END")  # a sixth of the answers
    assert checked.failed() == {}
    assert checked.failed(check_drift=0.05).keys() == {"tone: tone as usual"}


def test_answers_to_an_earlier_question_are_neither_judged_nor_compared_with(checked: Checked) -> None:
    _answers(checked, "tone = 'good'")
    checked.sql("UPDATE enriched.tone SET fingerprint = 'old' WHERE item_id // 1000 < ?", TUESDAY.toordinal())
    assert checked.failed() == {}
    _answers(checked, "tone = 'a label of old', certainty = NULL, fingerprint = 'old'", rows=30)
    assert checked.failed() == {}


@pytest.mark.parametrize("column", ["tone", "certainty", "reason"])
def test_a_column_that_is_half_null_blocks(checked: Checked, column: str) -> None:
    _answers(checked, f"{column} = NULL", rows=30)
    failed = checked.failed()
    assert failed[f"tone: {column} is there"] == ("failed", "30 of 60 are NULL (50.0%, more than 5.0%)")


def test_a_few_nulls_are_let_pass(checked: Checked) -> None:
    _answers(checked, "reason = NULL", rows=3)
    assert checked.failed() == {}


@pytest.mark.parametrize(
    ("change", "name", "told"),
    [
        ("tone = 'SECRET'", "tone is one of its values", "1 of 60 are none of its 3 values (1.7%)"),
        ("certainty = 1.5", "certainty is in its range", "1 of 60 are not between 0 and 1 (1.7%)"),
    ],
)
def test_one_answer_outside_its_promise_blocks_and_is_not_quoted(
    checked: Checked, change: str, name: str, told: str
) -> None:
    _answers(checked, change, rows=1)
    assert checked.failed() == {f"tone: {name}": ("failed", told)}
    assert checked.sql("SELECT count(*) FROM ops.checks WHERE detail LIKE '%SECRET%'") == [(0,)]


def test_a_rule_that_the_enrichment_declares_is_checked_with_its_own_allowance(checked: Checked) -> None:
    _answers(checked, "reason = 'a reason that goes on and on'", rows=6)
    assert checked.failed() == {}
    _answers(checked, "reason = 'a reason that goes on and on'", rows=7)
    assert checked.failed() == {"tone: reasons are short": ("warning", "7 of 60 break it (11.7%, more than 10.0%)")}


def _declare(checked: Checked, old: str, new: str) -> None:
    """Declare the enrichment otherwise, under which the answers that are there are its own."""
    path = checked.settings.enrichments_path
    assert path is not None
    declared = (path / "tone.py").read_text(encoding="utf-8")
    assert old in declared
    (path / "tone.py").write_text(declared.replace(old, new), encoding="utf-8")
    one = load_enrichments(path)["tone"]
    checked.sql("UPDATE enriched.tone SET fingerprint = ?", fingerprint_of(checked.warehouse, one, checked.settings))


def test_a_text_longer_than_it_may_be_blocks(checked: Checked) -> None:
    _declare(checked, '"Why."', '"Why.", max_length=10')
    _answers(checked, "reason = 'because of it'", rows=2)
    assert checked.failed() == {
        "tone: reason is no longer than allowed": ("failed", "2 of 60 are over 10 characters (3.3%)")
    }


def test_a_column_that_may_be_absent_is_warned_of_where_it_is_so_much_oftener_than_usual(checked: Checked) -> None:
    _declare(checked, '"Why."', '"Why.", nullable=True')
    checked.sql("UPDATE enriched.tone SET reason = NULL WHERE item_id % 2 = 0")
    assert checked.failed() == {}
    _answers(checked, "reason = NULL")
    ((name, (outcome, detail)),) = checked.failed().items()
    assert (name, outcome) == ("tone: reason as usual", "warning")
    assert detail.endswith("moved most: (absent) 50% → 100%")


def test_a_rule_that_the_warehouse_refuses_is_named(checked: Checked) -> None:
    _declare(checked, "length(reason)", "length(no_such)")
    with pytest.raises(WarehouseError, match=r"^check tone: reasons are short of 2026-10-20: .*no_such"):
        checked.check()


def test_many_items_without_an_answer_are_a_warning(checked: Checked) -> None:
    fingerprint = fingerprint_of(checked.warehouse, checked.enrichment, checked.settings)
    bury = (
        "INSERT INTO ops.dead_letters "
        "SELECT 'enrich:tone', i, ?, ?, 'bad', 'h', 1, now(), now(), 'r' FROM range(20) AS n(i)"
    )
    checked.sql(bury, "another question", TUESDAY)
    assert checked.failed() == {}
    checked.sql(bury, fingerprint, TUESDAY)
    assert checked.failed() == {
        "tone: unanswered": ("warning", "20 of 80 wait in the dead letters (25.0%, more than 5.0%)")
    }


# --- what becomes of it ----------------------------------------------------------------------------------------------


def test_each_check_has_one_row_a_run_and_the_same_run_replaces_its_own(short: Checked) -> None:
    first = short.check("one")
    _answers(short, "certainty = 7", rows=1)
    second = short.check("one")
    short.check("two")
    assert short.sql("SELECT run_id, count(*) FROM ops.checks GROUP BY 1 ORDER BY 1") == [
        ("one", len(first)),
        ("two", len(first)),
    ]
    assert short.sql("SELECT name, blocking, detail FROM ops.checks WHERE run_id = 'one' AND NOT passed") == [
        (one.name, one.blocking, one.detail) for one in second.values() if not one.passed
    ]


def test_checking_changes_nothing_but_the_checks(short: Checked) -> None:
    ledgers = ("partitions", "runs", "dead_letters", "ai_usage", "schema_versions")

    def state() -> list[object]:
        with short.warehouse.transaction(stage="enrich") as session:
            held = [session.execute(f"SELECT * FROM ops.{table} ORDER BY ALL") for table in ledgers]
            return [contents(session, short.warehouse), *held]

    before = state()
    _answers_before = short.sql("SELECT * FROM enriched.tone_current ORDER BY ALL")
    short.check()
    assert state() == before
    assert short.sql("SELECT * FROM enriched.tone_current ORDER BY ALL") == _answers_before


def test_a_blocking_failure_stops_with_its_name_its_figures_and_where_to_look(short: Checked) -> None:
    _answers(short, "certainty = 7, tone = 'loud'", rows=2)
    with pytest.raises(QualityError) as told:
        refuse_if_blocked(list(short.check().values()), TUESDAY, short.settings)
    assert str(told.value).startswith(
        "check tone: tone is one of its values of 2026-10-20: 2 of 60 are none of its 3 values (3.3%) (and 1 more); "
    )
    assert str(told.value).endswith("see all: python -m hnintel checks --day 2026-10-20")


def test_in_a_run_the_ledger_says_of_the_guarded_stage_that_it_failed(short: Checked) -> None:
    _answers(short, "certainty = 7", rows=1)
    results = list(short.check().values())
    with pytest.raises(QualityError):
        stop_if_blocked(short.warehouse, results, TUESDAY, short.settings, "a-run")
    ((status, error),) = short.sql("SELECT status, error FROM ops.partitions WHERE stage = 'enrich:tone'")
    assert status == "failed"
    assert error.startswith("tone: certainty is in its range: 1 of 60")


def test_warnings_stop_nothing_nor_does_a_failure_where_checks_are_set_not_to_block(checked: Checked) -> None:
    _remove(checked, TUESDAY, but=30)
    refuse_if_blocked(list(checked.check().values()), TUESDAY, checked.settings)
    _answers(checked, "certainty = 7", rows=1)
    lenient = checked.settings.model_copy(update={"check_blocks": False})
    stop_if_blocked(checked.warehouse, list(checked.check().values()), TUESDAY, lenient, "a-run")
    assert checked.sql("SELECT count(*) FROM ops.partitions WHERE status = 'failed'") == [(0,)]


def test_the_day_is_the_newest_that_was_run_and_one_that_was_not_is_refused(short: Checked) -> None:
    with short.warehouse.transaction(stage="enrich") as session:
        assert day_to_check(session, None) == TUESDAY
        assert day_to_check(session, TUESDAY - timedelta(days=2)) == TUESDAY - timedelta(days=2)
        with pytest.raises(UsageError, match=r"2026-10-21 was not run: .*2026-10-18 to 2026-10-20"):
            day_to_check(session, TUESDAY + timedelta(days=1))
        session.execute("DELETE FROM ops.partitions")
        with pytest.raises(UsageError, match="no day was run yet: run one first"):
            day_to_check(session, None)
