"""What asking comes to when an engine answers badly or not at all, and when the process stops half way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hnintel.engines.base import CUT_OFF, Answer, EngineUnreachable
from hnintel.enrich.declaration import Column, Enrichment
from hnintel.enrich.run import EnrichmentRun
from hnintel.errors import DeclarationError, QualityError, WarehouseError
from hnintel.warehouse.base import Session
from tests.conftest import ROOT
from tests.enrichments.subjects import comments_below, load_comments
from tests.warehouse.world import DAY, Answering, Asking, load, story

EVERYTHING = Enrichment(
    "everything",
    doc="One column of every kind.",
    version=1,
    model="a-model",
    prompt="Say all of it.",
    call="AI_COMPLETE({{ model }}, {{ prompt }} || {{ input }}, {'temperature': 0}, {{ response_format }})",
    columns=(
        Column("tone", str, "Its tone.", one_of=("good", "bad")),
        Column("share", float, "A share.", between=(0, 1)),
        Column("count", int, "A number.", between=(0, 10)),
        Column("certain", bool, "Whether."),
        Column("names", list[str], "Names."),
        Column("happened_at", datetime, "When."),
        Column("aside", str, "A few words, if there are any.", max_length=20, nullable=True),
        Column("reason", str, "A sentence."),
    ),
)
GOOD = {
    "tone": "good",
    "share": 0.5,
    "count": 3,
    "certain": True,
    "names": ["a"],
    "happened_at": "2026-10-21T23:30:00-04:00",
    "aside": None,
    "reason": "words",
}


def bad_for(word: str, answer: Any) -> Callable[[str, Answer], Answer]:
    """Another answer where *word* is in the text."""
    return lambda text, good: (answer if isinstance(answer, Answer) else Answer(answer)) if word in text else good


def stories(asking: Asking, count: int, bad: int = 0) -> None:
    """Load *count* stories; the last *bad* of them say POISON."""
    titles = ["fine"] * (count - bad) + ["POISON"] * bad
    load(asking.warehouse, [story(number, f"{title} {number}") for number, title in enumerate(titles, 1)])


#: An answer, and the reason for which it is not taken.
BAD: list[tuple[Any, str]] = [
    (Answer(error="the model is out of tokens"), "the model is out of tokens"),
    (Answer(error=""), ""),
    (Answer(), "tone: missing, or not a text"),
    ({}, "tone: missing, or not a text"),
    ("prose instead of an object", "tone: missing, or not a text"),
    ([GOOD], "tone: missing, or not a text"),
    ({**GOOD, "tone": None}, "tone: missing, or not a text"),
    ({**GOOD, "tone": "meh"}, "tone: none of its values"),
    ({**GOOD, "tone": "Good"}, "tone: none of its values"),
    ({**GOOD, "share": 1.5}, "share: not between 0 and 1"),
    ({**GOOD, "share": "0.5"}, "share: missing, or not a number"),
    ({**GOOD, "count": 3.5}, "count: missing, or not a integer"),
    ({**GOOD, "count": -1}, "count: not between 0 and 10"),
    ({**GOOD, "count": 10**30}, "count: missing, or not a integer"),
    ({**GOOD, "certain": "yes"}, "certain: missing, or not a boolean"),
    ({**GOOD, "names": "a"}, "names: missing, or not a list"),
    ({**GOOD, "names": ["a", None]}, "names: missing, or not a list"),
    ({**GOOD, "happened_at": "yesterday"}, "happened_at: missing, or not a timestamp"),
    ({**GOOD, "happened_at": "infinity"}, "happened_at: missing, or not a timestamp"),
    ({**GOOD, "happened_at": 20261021}, "happened_at: missing, or not a timestamp"),
    ({**GOOD, "aside": 7}, "aside: missing, or not a text"),
    ({**GOOD, "aside": "x" * 21}, "aside: longer than 20 characters"),
    ({**GOOD, "reason": 7}, "reason: missing, or not a text"),
    ({name: value for name, value in GOOD.items() if name != "reason"}, "reason: missing, or not a text"),
    ({**GOOD, "reason": {1, 2}}, "the answer is no JSON (TypeError)"),
    ({**GOOD, "share": float("nan")}, "the answer is no JSON (ValueError)"),
]


def test_a_bad_answer_is_kept_with_its_reason_and_does_not_stop_the_others(tmp_path: Path) -> None:
    def bad_but_for_the_first(text: str, good: Answer) -> Answer:
        answer = ([good] + [answer for answer, _ in BAD])[number_in(text) - 1]
        return answer if isinstance(answer, Answer) else Answer(answer)

    asking = Asking(tmp_path, Answering(bad_but_for_the_first), bad_answer_floor=1000)
    load(asking.warehouse, [story(number) for number in range(1, len(BAD) + 2)])
    done = asking.run(EVERYTHING, "the-run")
    assert (done.asked, done.answered, done.failed) == (len(BAD) + 1, 1, len(BAD))
    assert [row["item_id"] for row in asking.answers(EVERYTHING)] == [1]
    letters = asking.letters()
    assert [letter["reason"] for letter in letters] == [reason for _, reason in BAD]
    assert [letter["key"] for letter in letters] == [str(number) for number in range(2, len(BAD) + 2)]
    assert {(one["stage"], one["day"], one["attempts"], one["run_id"]) for one in letters} == {
        (EVERYTHING.stage, DAY, 1, "the-run")
    }
    (stage,) = asking.rows("SELECT status, row_count FROM ops.partitions WHERE stage = ?", [EVERYTHING.stage])
    assert stage == {"status": "partial", "row_count": 1}
    (usage,) = asking.rows("SELECT calls FROM ops.ai_usage")
    assert usage["calls"] == done.asked  # a bad answer is paid for as well


def test_a_dead_letter_whose_text_another_item_has_an_answer_for_is_none_any_more(tmp_path: Path) -> None:
    times: list[str] = []

    def bad_at_first(text: str, good: Answer) -> Answer:
        times.append(text)
        return Answer(GOOD) if len(times) > 1 else Answer(error="the model is out of tokens")

    asking = Asking(tmp_path, Answering(bad_at_first))
    load(asking.warehouse, [story(1, "The same", text="The same")])
    assert asking.run(EVERYTHING).failed == 1
    assert [one["key"] for one in asking.letters()] == ["1"]
    load(asking.warehouse, [story(2, "The same", text="The same")])
    done = asking.run(EVERYTHING)
    assert (done.asked, done.answered, done.reused) == (1, 1, 1)
    assert asking.letters() == []
    assert len(asking.answers(EVERYTHING)) == 2


def test_a_timestamp_is_kept_in_utc(tmp_path: Path) -> None:
    kept = {
        "2026-10-21T23:30:00-04:00": datetime(2026, 10, 22, 3, 30),
        "2026-10-21T23:30:00Z": datetime(2026, 10, 21, 23, 30),
        "2026-10-21T23:30": datetime(2026, 10, 21, 23, 30),
        "2026-10-21": datetime(2026, 10, 21),
    }
    answers = [Answer({**GOOD, "happened_at": text}) for text in kept]
    asking = Asking(tmp_path, Answering(lambda text, _: answers[number_in(text) - 1]))
    load(asking.warehouse, [story(number) for number in range(1, len(kept) + 1)])
    asking.run(EVERYTHING)
    assert [row["happened_at"] for row in asking.answers(EVERYTHING)] == list(kept.values())


def test_what_may_be_missing_is_kept_as_missing(tmp_path: Path) -> None:
    answers = [GOOD, {name: value for name, value in GOOD.items() if name != "aside"}]
    asking = Asking(tmp_path, Answering(lambda text, _: Answer(answers[number_in(text) - 1])))
    load(asking.warehouse, [story(1), story(2)])
    assert asking.run(EVERYTHING).failed == 0
    assert [row["aside"] for row in asking.answers(EVERYTHING)] == [None, None]


def number_in(text: str) -> int:
    """Which of the stories a question is about."""
    return int(text.split("number ")[1].split()[0])


@hypothesis_settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    answers=st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "tone": st.sampled_from(["good", "bad", "ugly", None, 1]),
                "share": st.floats() | st.none() | st.text(max_size=3),
                "count": st.integers() | st.floats() | st.booleans(),
                "certain": st.booleans() | st.integers(0, 1) | st.none(),
                "names": st.lists(st.text(max_size=5) | st.none(), max_size=3) | st.text(max_size=3),
                "reason": st.text(st.characters(exclude_categories=()), max_size=20) | st.integers(),
            },
        ),
        min_size=1,
        max_size=20,
    )
)
def test_whatever_is_answered_each_item_has_either_a_good_row_or_a_dead_letter(
    tmp_path_factory: pytest.TempPathFactory, answers: list[dict[str, Any]]
) -> None:
    def one_of_them(text: str, good: Answer) -> Answer:
        return Answer(answers[number_in(text) - 1])

    asking = Asking(tmp_path_factory.mktemp("answers"), Answering(one_of_them), bad_answer_floor=1000)
    load(asking.warehouse, [story(number) for number in range(1, len(answers) + 1)])
    done = asking.run(EVERYTHING)
    rows, letters = asking.answers(EVERYTHING), asking.letters()
    assert (done.answered, done.failed) == (len(rows), len(letters))
    assert {row["item_id"] for row in rows} | {int(one["key"]) for one in letters} == set(range(1, len(answers) + 1))
    for row in rows:
        told = answers[row["item_id"] - 1]
        assert row["tone"] == told["tone"]
        assert 0 <= row["share"] <= 1
        assert row["share"] == pytest.approx(told["share"])
        assert row["count"] == told["count"]
        assert row["certain"] is told["certain"]
        assert row["names"] == told["names"]


def test_a_bad_answer_is_asked_for_again_after_a_while_a_set_number_of_times(tmp_path: Path) -> None:
    asking = Asking(tmp_path, Answering(bad_for("POISON", {})), answer_attempts=3)
    stories(asking, 2, bad=1)
    asking.run(EVERYTHING)
    asked = []
    for attempt in range(5):
        assert asking.run(EVERYTHING).asked == 0, "it is not asked again within the wait"
        later(asking, hours=2)
        asked.append(asking.run(EVERYTHING, f"attempt {attempt}").asked)
    assert asked == [1, 1, 0, 0, 0]
    (letter,) = asking.letters()
    assert (letter["attempts"], letter["run_id"]) == (3, "attempt 1")
    assert letter["first_seen"] < letter["last_seen"]


def test_an_answer_that_was_cut_off_at_its_bound_is_not_asked_for_again(tmp_path: Path) -> None:
    asking = Asking(tmp_path, Answering(bad_for("POISON", Answer(error=f"{CUT_OFF} at its bound"))), answer_attempts=3)
    stories(asking, 2, bad=1)
    assert asking.run(EVERYTHING).asked == 2
    later(asking, hours=2)
    assert asking.run(EVERYTHING, "a later run").asked == 0
    (letter,) = asking.letters()
    assert (letter["attempts"], letter["reason"]) == (3, f"{CUT_OFF} at its bound")


def test_a_bad_answer_is_forgiven_when_it_goes_well(tmp_path: Path) -> None:
    asking = Asking(tmp_path, Answering(bad_for("POISON", {})))
    stories(asking, 2, bad=1)
    asking.run(EVERYTHING)
    asking.engine.engine = Answering()
    later(asking, hours=2)
    assert asking.run(EVERYTHING).answered == 1
    assert asking.letters() == []
    (stage,) = asking.rows("SELECT status, row_count FROM ops.partitions WHERE stage = ?", [EVERYTHING.stage])
    assert stage == {"status": "complete", "row_count": 2}


def test_a_changed_text_is_asked_about_at_once_and_with_all_its_attempts(tmp_path: Path) -> None:
    asking = Asking(tmp_path, Answering(bad_for("POISON", {})), answer_attempts=1)
    stories(asking, 1, bad=1)
    asking.run(EVERYTHING)
    load(asking.warehouse, [story(1, "POISON of another kind")])
    assert asking.run(EVERYTHING).asked == 1
    assert [letter["attempts"] for letter in asking.letters()] == [1]


@pytest.mark.parametrize("how", ["the item dies", "the question changes", "it is no longer worth asking"])
def test_a_dead_letter_that_nobody_waits_for_any_more_does_not_hold_the_day_up(tmp_path: Path, how: str) -> None:
    asking = Asking(tmp_path, Answering(bad_for("POISON", {})))
    stories(asking, 2, bad=1)
    asking.run(EVERYTHING)
    now = EVERYTHING
    if how == "the item dies":
        load(asking.warehouse, [story(2, "POISON 2", dead=True)])
    elif how == "the question changes":
        asking.engine.engine = Answering()
        now = replace(EVERYTHING, version=2)
    else:
        now = replace(EVERYTHING, where="title NOT LIKE '%POISON%'")
    asking.run(now)
    assert asking.letters() == []
    (stage,) = asking.rows("SELECT status FROM ops.partitions WHERE stage = ?", [EVERYTHING.stage])
    assert stage["status"] == "complete"


def test_too_many_bad_answers_stop_the_run_are_on_record_and_cost_no_good_one(tmp_path: Path) -> None:
    asking = Asking(
        tmp_path, Answering(bad_for("POISON", {})), enrich_chunk=10, bad_answer_floor=5, bad_answer_share=0.3
    )
    stories(asking, 40, bad=34)
    with pytest.raises(QualityError, match="everything of 2026-10-21: 14 of 20 answers were bad") as stopped:
        asking.run(EVERYTHING)
    assert "\n" not in str(stopped.value)
    assert len(asking.engine.texts) == 20  # 4 bad of 10 are below the floor; 14 of 20 are not
    assert [row["item_id"] for row in asking.answers(EVERYTHING)] == [1, 2, 3, 4, 5, 6]
    (check,) = asking.rows("SELECT * FROM ops.checks")
    assert (check["blocking"], check["passed"], check["detail"]) == (True, False, "14 of 20 answers were bad")
    (stage,) = asking.rows("SELECT status, error FROM ops.partitions WHERE stage = ?", [EVERYTHING.stage])
    assert stage == {"status": "failed", "error": "14 of 20 answers were bad"}


def test_bad_answers_up_to_the_share_and_below_the_floor_do_not_stop_it(tmp_path: Path) -> None:
    at_the_share = Asking(tmp_path / "a", Answering(bad_for("POISON", {})), bad_answer_floor=1, bad_answer_share=0.5)
    stories(at_the_share, 10, bad=5)
    assert at_the_share.run(EVERYTHING).failed == 5
    below_the_floor = Asking(tmp_path / "b", Answering(bad_for("POISON", {})), bad_answer_floor=11)
    stories(below_the_floor, 10, bad=10)
    assert below_the_floor.run(EVERYTHING).failed == 10


def test_usage_adds_up_over_chunks_and_runs(tmp_path: Path) -> None:
    asking = Asking(tmp_path, Answering(), enrich_chunk=3)
    stories(asking, 8)
    seen: list[int] = []
    run = EnrichmentRun(asking.warehouse, EVERYTHING, DAY, asking.settings, "one")
    run.begin()
    chunk = run.next_chunk(after=0)
    while chunk is not None:
        seen.append(chunk.came.asked)
        chunk = run.next_chunk(chunk.last)
    run.end()
    assert seen == [3, 3, 2]
    load(asking.warehouse, [story(9)])
    asking.run(EVERYTHING, "two")
    usage = {row["run_id"]: row for row in asking.rows("SELECT * FROM ops.ai_usage")}
    assert {run_id: row["calls"] for run_id, row in usage.items()} == {"one": 8, "two": 1}
    assert usage["one"]["input_tokens"] > 7 * usage["two"]["input_tokens"]


def test_a_lost_engine_costs_one_chunk_and_the_next_run_asks_only_the_rest(tmp_path: Path) -> None:
    def lost_at_five(text: str, good: Answer) -> Answer:
        if "number 5 " in text:
            raise ConnectionError("the endpoint is gone")
        return good

    asking = Asking(tmp_path, Answering(lost_at_five), enrich_chunk=3)
    load(asking.warehouse, [story(number) for number in range(1, 9)])
    with pytest.raises(WarehouseError, match=r"enrichment everything of 2026-10-21: .*the endpoint is gone") as lost:
        asking.run(EVERYTHING)
    assert "\n" not in str(lost.value)
    assert [row["item_id"] for row in asking.answers(EVERYTHING)] == [1, 2, 3]
    assert asking.letters() == []
    asking.engine.engine = Answering()
    assert asking.run(EVERYTHING).asked == 5
    assert len(asking.answers(EVERYTHING)) == 8


def test_an_engine_that_goes_away_half_way_costs_nothing_that_was_answered(tmp_path: Path) -> None:
    away = Answer(lost=EngineUnreachable("the endpoint is gone"))
    asking = Asking(tmp_path, Answering(bad_for("number 5 ", away)))
    load(asking.warehouse, [story(number) for number in range(1, 9)])
    with pytest.raises(EngineUnreachable, match=r"^enrichment everything of 2026-10-21: the endpoint is gone$"):
        asking.run(EVERYTHING, "one")
    assert [row["item_id"] for row in asking.answers(EVERYTHING)] == [1, 2, 3, 4, 6, 7, 8]
    assert asking.letters() == []
    asking.engine.texts.clear()
    asking.engine.engine = Answering()
    assert asking.run(EVERYTHING, "two").asked == 1
    assert len(asking.engine.texts) == 1
    usage = asking.rows("SELECT run_id, calls FROM ops.ai_usage ORDER BY run_id")
    assert usage == [{"run_id": "one", "calls": 7}, {"run_id": "two", "calls": 1}]


def test_a_digest_that_was_made_before_the_engine_went_away_is_asked_about(tmp_path: Path) -> None:
    class Away(Answering):
        """Gone by the time that a group is asked about in which somebody says LATE."""

        def aggregate(self, texts: Sequence[str], task: str | None) -> Answer:
            if any("LATE" in one for one in texts):
                raise EngineUnreachable("the endpoint is gone")
            return Answer("a digest")

    many = replace(EVERYTHING, of="comments", digest="Say what is said.")
    asking = Asking(tmp_path, Away(), openai_concurrency=1)
    load(asking.warehouse, [story(number) for number in range(1, 41)])
    load_comments(
        asking, [one for number in range(1, 41) for one in comments_below(number, "LATE" if number == 40 else "")]
    )
    with pytest.raises(EngineUnreachable, match="the endpoint is gone"):
        asking.run(many)
    answered = len(asking.answers(many))
    assert answered > 0
    assert asking.letters() == []
    asking.engine.engine = Answering()
    assert asking.run(many).asked == 40 - answered


def test_a_killed_process_costs_one_chunk_and_the_next_run_asks_only_the_rest(tmp_path: Path) -> None:
    asking = Asking(tmp_path, Answering(), enrich_chunk=3)
    load(asking.warehouse, [story(number) for number in range(1, 9)])
    script = f"""
import os, signal
from pathlib import Path
from tests.enrichments.test_bad_answers_and_crashes import EVERYTHING
from tests.warehouse.world import Answering, Asking
def killed_at_five(text, good):
    if "number 5 " in text:
        os.kill(os.getpid(), signal.SIGKILL)
    return good
Asking(Path({str(tmp_path)!r}), Answering(killed_at_five), enrich_chunk=3).run(EVERYTHING, "killed")
"""
    killed = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.DEVNULL, timeout=120, check=False
    )
    assert killed.returncode == -9
    assert [row["run_id"] for row in asking.answers(EVERYTHING)] == ["killed"] * 3
    assert asking.run(EVERYTHING, "next").asked == 5
    assert [row["run_id"] for row in asking.answers(EVERYTHING)] == ["killed"] * 3 + ["next"] * 5


def test_a_chunk_that_cannot_be_kept_leaves_nothing_of_it_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Asking(tmp_path, Answering())
    stories(asking, 3)
    run = EnrichmentRun(asking.warehouse, EVERYTHING, DAY, asking.settings, "run")
    run.begin()
    kept = run._store

    def kept_then_stopped(account: Any, session: Session) -> Any:
        kept(account, session)
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "_store", kept_then_stopped)
    with pytest.raises(KeyboardInterrupt):
        run.next_chunk(after=0)
    assert asking.answers(EVERYTHING) == []
    assert asking.rows("SELECT * FROM ops.ai_usage") == []


def test_a_text_that_changes_while_it_is_asked_about_is_asked_about_again(tmp_path: Path) -> None:
    def edited_meanwhile(text: str, good: Answer) -> Answer:
        load(asking.warehouse, [story(1, "Edited while the model was thinking")])
        return good

    asking = Asking(tmp_path, Answering(edited_meanwhile))
    stories(asking, 1)
    asking.run(EVERYTHING)
    asking.engine.engine = Answering()
    assert asking.run(EVERYTHING).asked == 1
    assert asking.run(EVERYTHING).asked == 0


@pytest.mark.parametrize("digestible", [2, 0])
def test_an_item_of_whose_texts_nothing_is_made_is_a_dead_letter_and_is_not_asked_about(
    tmp_path: Path, digestible: int
) -> None:
    class Undigesting(Answering):
        """Makes nothing of a group in which somebody says POISON."""

        def aggregate(self, texts: Sequence[str], task: str | None) -> Answer:
            return Answer(error="away") if any("POISON" in one for one in texts) else Answer("a digest")

    many = replace(EVERYTHING, of="comments", digest="Say what is said.")
    asking = Asking(tmp_path, Undigesting())
    load(asking.warehouse, [story(number) for number in range(1, 5)])
    load_comments(
        asking,
        [one for number in range(1, 5) for one in comments_below(number, "POISON" if number > digestible else "")],
    )
    done = asking.run(many)
    assert (done.asked, done.answered, done.failed) == (4, digestible, 4 - digestible)
    assert [row["item_id"] for row in asking.answers(many)] == list(range(1, digestible + 1))
    assert {one["reason"] for one in asking.letters()} == {"AI_AGG made no text of the many"}
    assert len(asking.engine.texts) == digestible
    calls = asking.rows("SELECT function, calls, output_tokens > 0 AS wrote FROM ops.ai_usage ORDER BY function")
    assert [tuple(row.values()) for row in calls] == [
        ("AI_AGG", 4, digestible > 0),
        ("AI_COMPLETE", digestible, digestible > 0),
    ]


def test_a_model_without_a_price_is_refused_before_it_is_asked(tmp_path: Path) -> None:
    class Dear(Answering):
        def model(self, asked_for: str) -> str:
            return "some-model-of-the-future"

    asking = Asking(tmp_path, Dear())
    stories(asking, 1)
    with pytest.raises(WarehouseError, match="some-model-of-the-future"):
        asking.run(EVERYTHING)
    assert asking.engine.texts == []


def test_a_column_that_changes_its_type_is_refused_with_the_mend(tmp_path: Path) -> None:
    asking = Asking(tmp_path, Answering())
    stories(asking, 1)
    asking.run(EVERYTHING)
    changed = replace(EVERYTHING, columns=(*EVERYTHING.columns[:-1], Column("reason", list[str], "Sentences.")))
    with pytest.raises(DeclarationError, match=r"everything\.py: column reason .* give it another name"):
        asking.run(changed)
    assert asking.run(EVERYTHING).asked == 0


def test_a_condition_on_what_there_is_not_is_told_with_the_enrichment(tmp_path: Path) -> None:
    asking = Asking(tmp_path, Answering())
    with pytest.raises(WarehouseError, match=r"(?i)enrichment everything of .*scroe") as refused:
        asking.run(replace(EVERYTHING, where="scroe > 20"))
    assert "\n" not in str(refused.value)


def later(asking: Asking, hours: float) -> None:
    """Let time pass for the dead letters, by making them that much older."""
    with asking.warehouse.transaction(stage="enrich") as session:
        for key, seen in session.execute("SELECT key, last_seen FROM ops.dead_letters"):
            session.execute(
                "UPDATE ops.dead_letters SET last_seen = ?, first_seen = first_seen - INTERVAL '2 HOUR' WHERE key = ?",
                [seen - timedelta(hours=hours), key],
            )
