"""Evaluation: the questions, the right answers, and every figure compared with a figure computed by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hnintel.engines.base import Answer
from hnintel.enrich.declaration import Column
from hnintel.errors import QualityError, UsageError, WarehouseError
from hnintel.evaluation.ask import Given, ask, plan, scratch_warehouse
from hnintel.evaluation.compare import compare
from hnintel.evaluation.result import as_json, evaluate, read_results
from hnintel.evaluation.score import BAD, F1, NONE, LabelScore, NameScore, score
from hnintel.evaluation.sets import Example, LabelledSet
from hnintel.settings import Settings
from tests.unit.evaluating import NAMES, TONE, RuleEngine, tones, warehouse_of

TONE_COLUMN = TONE.columns[0]
PEOPLE = NAMES.columns[0]


def labels(expected: str, answered: str) -> LabelScore:
    """Return the scores of rows given as letters: p, n (neutral), g (negative), - (no value), ! (a bad answer)."""
    names: dict[str, str | None] = {"p": "positive", "n": "neutral", "g": "negative", "-": None}
    examples = [Example(str(row), {"tone": names[letter]}) for row, letter in enumerate(expected)]
    given = [Given({"tone": None}, "why") if letter == "!" else Given({"tone": names[letter]}) for letter in answered]
    counted = score(TONE_COLUMN, examples, given).score
    assert isinstance(counted, LabelScore)
    return counted


# --- labels ----------------------------------------------------------------------------------------------------------


def test_labels_are_scored_by_class_and_over_all() -> None:
    counted = labels(expected="pppnng", answered="ppnngg")
    assert counted.accuracy == pytest.approx(4 / 6)
    assert counted.classes["positive"] == F1(
        precision=1.0, recall=pytest.approx(2 / 3), f1=pytest.approx(0.8), support=3
    )
    assert counted.classes["neutral"] == F1(precision=0.5, recall=0.5, f1=0.5, support=2)
    assert counted.classes["negative"] == F1(precision=0.5, recall=1.0, f1=pytest.approx(2 / 3), support=1)
    assert counted.macro_f1 == pytest.approx((0.8 + 0.5 + 2 / 3) / 3)
    assert counted.labels == ("positive", "neutral", "negative")
    assert counted.confusion == ((2, 1, 0), (0, 1, 1), (0, 0, 1))


def test_a_bad_answer_is_wrong_and_has_its_own_column() -> None:
    counted = labels(expected="pp", answered="p!")
    assert counted.accuracy == 0.5
    assert counted.classes["positive"] == F1(precision=1.0, recall=0.5, f1=pytest.approx(2 / 3), support=2)
    assert counted.labels == ("positive", BAD)
    assert counted.confusion == ((1, 1), (0, 0))


def test_an_answer_without_a_value_is_wrong_and_not_a_bad_one() -> None:
    counted = labels(expected="pp", answered="p-")
    assert counted.labels == ("positive", NONE)
    assert counted.confusion == ((1, 1), (0, 0))


def test_null_can_be_the_right_answer() -> None:
    counted = labels(expected="-p", answered="--")
    assert counted.accuracy == 0.5
    assert counted.classes[NONE] == F1(precision=0.5, recall=1.0, f1=pytest.approx(2 / 3), support=1)


def test_a_label_that_the_set_lacks_is_not_a_class_of_the_mean() -> None:
    counted = labels(expected="pp", answered="pg")
    assert counted.classes.keys() == {"positive"}
    assert counted.macro_f1 == pytest.approx(2 / 3)
    assert counted.confusion == ((1, 1), (0, 0))


def test_a_row_without_a_label_for_the_column_is_not_scored() -> None:
    examples = [Example("a", {"tone": "neutral"}), Example("b", {"other": "x"})]
    scored = score(TONE_COLUMN, examples, [Given({"tone": "neutral"}), Given({"tone": "positive"})])
    assert scored.score.rows == 1
    assert scored.right == (True, None)


# --- names -----------------------------------------------------------------------------------------------------------


def names(*rows: tuple[list[str], list[str] | None], aside: tuple[str, ...] = ()) -> NameScore:
    """Return the scores of rows given as (expected, answered); None for a bad answer."""
    examples = [Example(str(row), {"people": tuple(expected)}, aside) for row, (expected, _) in enumerate(rows)]
    given = [Given({"people": None}, "why") if told is None else Given({"people": told}) for _, told in rows]
    counted = score(PEOPLE, examples, given).score
    assert isinstance(counted, NameScore)
    return counted


def test_names_are_scored_over_all_rows_together() -> None:
    counted = names((["Ada", "Grace"], ["Ada"]), (["Linus"], ["Linus", "Bob"]), ([], []))
    assert counted.names == F1(
        precision=pytest.approx(2 / 3), recall=pytest.approx(2 / 3), f1=pytest.approx(2 / 3), support=3
    )
    assert counted.accuracy == pytest.approx(1 / 3)  # only the row without names is exactly right


def test_names_are_compared_without_case_and_spaces_and_count_once() -> None:
    counted = names((["Ada  Lovelace"], ["ADA LOVELACE", "Ada Lovelace"]))
    assert (counted.names.precision, counted.names.recall, counted.accuracy) == (1.0, 1.0, 1.0)


def test_part_of_a_name_is_not_the_name() -> None:
    assert names((["Ada Lovelace"], ["Ada"])).names == F1(0.0, 0.0, 0.0, 1)


def test_a_name_set_aside_is_neither_right_nor_wrong() -> None:
    assert names((["Ada"], ["Ada", "Turin"]), aside=("Turin",)).names.precision == 1.0
    assert names((["Ada"], ["Ada", "Turin"])).names.precision == 0.5


def test_a_bad_answer_lacks_every_name_and_is_wrong_for_an_empty_row_too() -> None:
    counted = names((["Ada"], None), ([], None), (["Bob"], ["Bob"]))
    assert counted.names == F1(precision=1.0, recall=0.5, f1=pytest.approx(2 / 3), support=2)
    assert counted.accuracy == pytest.approx(1 / 3)


# --- asking ----------------------------------------------------------------------------------------------------------


def test_every_text_is_asked_about_once_across_chunks_and_answers_have_the_sets_order(tmp_path: Path) -> None:
    engine = RuleEngine(lambda text: {"labels": ["positive" if text.startswith("good") else "negative"]})
    warehouse = warehouse_of(tmp_path, engine)
    examples = [Example(f"{'good' if row % 3 else 'bad'} {row}", {"tone": "neutral"}) for row in range(7)]
    asked = ask(warehouse, TONE, LabelledSet("s", tuple(examples)), Settings(enrich_chunk=3))
    assert engine.asked == [example.text for example in examples]
    assert [one.values["tone"] for one in asked.given] == ["positive" if row % 3 else "negative" for row in range(7)]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"labels": ["delighted"]}, "tone: none of its values"),
        ({"labels": []}, "tone: missing, or not a text"),
        (Answer(error="refused"), "refused"),
    ],
)
def test_an_answer_that_does_not_fit_its_columns_is_bad(tmp_path: Path, answer: object, reason: str) -> None:
    warehouse = warehouse_of(tmp_path, lambda text: answer if text == "odd" else {"labels": ["neutral"]})
    result = evaluate(warehouse, TONE, tones(plain="neutral", odd="neutral"), Settings())
    assert (result.rows, result.bad_answers, result.bad_reasons) == (2, 1, {reason: 1})
    assert result.columns["tone"].accuracy == 0.5


def test_a_text_cannot_close_its_fence_or_exceed_the_length_of_a_run(tmp_path: Path) -> None:
    engine = RuleEngine(lambda text: {"people": [], "companies": []})
    warehouse = warehouse_of(tmp_path, engine)
    example = Example("a </text> b " + "x" * 500, {"people": ()})
    ask(warehouse, NAMES, LabelledSet("s", (example,)), Settings(input_max_chars=200))
    prompt = engine.asked[0]
    assert prompt.startswith(NAMES.instruction)
    assert prompt.removeprefix(NAMES.instruction).count("</text>") == 1
    assert prompt.count("x") < 500


def test_tokens_of_the_prompt_count_with_every_text(tmp_path: Path) -> None:
    warehouse = warehouse_of(tmp_path, lambda text: {"labels": ["neutral"]})
    asked = ask(warehouse, TONE, tones(a="neutral", b="neutral"), Settings())
    with_words = len(("a" + json.dumps(TONE.labels, separators=(",", ":"))).split())
    assert asked.input_tokens == 2 * with_words
    assert asked.output_tokens > 0
    assert asked.cost == 0.0


def test_a_plan_sends_no_question_and_counts_the_input(tmp_path: Path) -> None:
    def never(text: str) -> object:
        raise AssertionError("a plan asked")

    planned = plan(warehouse_of(tmp_path, never), TONE, tones(a="neutral", b="neutral"), Settings())
    asked = ask(
        warehouse_of(tmp_path, lambda text: {"labels": ["neutral"]}), TONE, tones(a="neutral", b="neutral"), Settings()
    )
    assert planned.input_tokens == asked.input_tokens
    assert planned.output_tokens > 0
    assert planned.given == ()


def test_a_model_without_a_price_is_refused_before_it_is_asked(tmp_path: Path) -> None:
    class Dear(RuleEngine):
        def model(self, asked_for: str) -> str:
            return "a-model-nobody-knows"

    engine = Dear(lambda text: {"labels": ["neutral"]})
    with pytest.raises(WarehouseError, match="no price is known"):
        ask(warehouse_of(tmp_path, engine), TONE, tones(a="neutral"), Settings())
    assert engine.asked == []


def test_if_all_answers_are_bad_there_is_no_score(tmp_path: Path) -> None:
    warehouse = warehouse_of(tmp_path, lambda text: Answer(error="the engine is away"))
    with pytest.raises(QualityError, match=r"set tones, enrichment tone: all 2 answers.*the engine is away"):
        evaluate(warehouse, TONE, tones(a="neutral", b="positive"), Settings())


def test_an_error_of_the_engine_names_the_set(tmp_path: Path) -> None:
    def broken(text: str) -> object:
        raise RuntimeError("no memory left")

    with pytest.raises(WarehouseError, match=r"set tones, enrichment tone: .*no memory left"):
        evaluate(warehouse_of(tmp_path, broken), TONE, tones(a="neutral"), Settings())


def test_the_users_warehouse_is_not_opened(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", duckdb_path=tmp_path / "mine.duckdb")
    assert settings.warehouse_file == tmp_path / "mine.duckdb"
    with scratch_warehouse(settings) as warehouse:
        ask(warehouse, TONE, tones(a="neutral"), settings)
        folder = warehouse.path.parent  # type: ignore[attr-defined]
        assert folder.is_dir()
    assert not folder.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_column_of_free_text_cannot_be_scored(tmp_path: Path) -> None:
    free = Column("people", str, "Who.")
    enrichment = type(NAMES)("tests.free", "Who.", 1, NAMES.call, (free,), model="any", prompt="Who?")
    with pytest.raises(UsageError, match=r"free\.people, which cannot be scored"):
        LabelledSet("s", (Example("a", {"people": "Ada"}),)).judged_columns(enrichment)


# --- two side by side ------------------------------------------------------------------------------------------------

SET = tones(one="positive", two="positive", three="neutral", four="negative")


def _judged(folder: Path, **answers: str) -> list:
    warehouse = warehouse_of(folder, lambda text: {"labels": [answers[text]]})
    return [evaluate(warehouse, TONE, SET, Settings())]


def test_a_change_counts_the_rows_that_became_right_and_wrong(tmp_path: Path) -> None:
    before = _judged(tmp_path, one="positive", two="neutral", three="neutral", four="neutral")
    now = _judged(tmp_path, one="positive", two="positive", three="positive", four="negative")
    (change,) = compare(before, now)
    assert (change.to_right, change.to_wrong, change.shared) == (2, 1, 4)
    assert change.accuracy == (0.5, 0.75)
    # before: positive P 1 R 1/2; neutral P 1/3 R 1; negative none. now: positive P 2/3 R 1; neutral none; negative all.
    assert change.classes == {
        "positive": (pytest.approx(2 / 3), pytest.approx(0.8)),
        "neutral": (pytest.approx(0.5), 0.0),
        "negative": (0.0, 1.0),
    }
    assert change.f1 == (pytest.approx((2 / 3 + 0.5) / 3), pytest.approx((0.8 + 1) / 3))


def test_a_saved_result_compares_like_a_new_result(tmp_path: Path) -> None:
    results = _judged(tmp_path, one="positive", two="neutral", three="neutral", four="neutral")
    path = tmp_path / "before.json"
    path.write_text(json.dumps({"results": as_json(results)}), encoding="utf-8")
    assert read_results(path) == results
    assert compare(read_results(path), results)[0].to_wrong == 0


def test_a_saved_result_has_no_text_in_it(tmp_path: Path) -> None:
    results = _judged(tmp_path, one="positive", two="neutral", three="neutral", four="neutral")
    assert all(text not in json.dumps(as_json(results)) for text in ("three", "four"))


def test_rows_of_only_one_result_are_not_compared(tmp_path: Path) -> None:
    now = _judged(tmp_path, one="positive", two="positive", three="neutral", four="negative")
    warehouse = warehouse_of(tmp_path, lambda text: {"labels": ["negative"]})
    before = [evaluate(warehouse, TONE, tones(four="negative", five="positive"), Settings())]
    (change,) = compare(before, now)
    assert (change.shared, change.rows, change.to_right, change.to_wrong) == (1, (2, 4), 0, 0)
    assert change.accuracy == (1.0, 1.0)  # of `four`, though before it was one of two
    assert (change.f1, change.classes) == (None, {})


def test_without_a_row_in_common_nothing_is_compared(tmp_path: Path) -> None:
    warehouse = warehouse_of(tmp_path, lambda text: {"labels": ["negative"]})
    before, now = (
        [evaluate(warehouse, TONE, LabelledSet("tones", (Example(text, {"tone": "negative"}),)), Settings())]
        for text in ("five", "six")
    )
    assert compare(before, now) == []


def test_sets_of_only_one_result_are_not_compared(tmp_path: Path) -> None:
    now = _judged(tmp_path, one="positive", two="positive", three="neutral", four="negative")
    assert compare([], now) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"results": [{"set": 1}]}', "[" * 100_000])
def test_a_file_of_another_format_is_refused_as_a_result(tmp_path: Path, text: str) -> None:
    path = tmp_path / "before.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="it is not the output of `python -m hnintel eval --json`"):
        read_results(path)
