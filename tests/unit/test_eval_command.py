"""``python -m hnintel eval``: its output, what it does not change, and errors as a line and an exit code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hnintel.cli.app import main
from hnintel.enrich.declaration import BUNDLED
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from tests.servers.chat import ChatServer, Mood

Capture = pytest.CaptureFixture[str]

TONES = [
    ("What a wonderful, fast and delightful release. I love it.", "positive"),
    ("A terrible outage: everything failed and customers are angry.", "negative"),
    ("The paper describes a method and a table of measurements.", "neutral"),
]

DECLARED = """
from hnintel.enrich.declaration import Column, Enrichment

enrichment = Enrichment(__name__, doc="The tone.", version=1, call="{call}",
    columns=(Column("sentiment", str, "The tone.", one_of={labels}, path="labels[0]"),))
"""
ALL = '("positive", "neutral", "negative")'


@pytest.fixture(autouse=True)
def _no_corpora_and_an_empty_home(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HNINTEL_TEST_DATA", str(tmp_path / "nothing"))


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Create a folder with a labelled set, ``tones``."""
    folder = tmp_path / "labelled"
    folder.mkdir()
    lines = [json.dumps({"text": text, "sentiment": tone}) for text, tone in TONES]
    (folder / "tones.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def declared(
    folder: Path, name: str = "sentiment", call: str = "AI_CLASSIFY({{ input }}, {{ labels }})", labels: str = ALL
) -> Path:
    """Add an enrichment with three tones to *folder*."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(DECLARED.replace("{call}", call).replace("{labels}", labels), encoding="utf-8")
    return folder


def results(capture: Capture, *words: str) -> list[dict]:
    assert main(["eval", "--json", *words]) == 0
    return json.loads(capture.readouterr().out)["results"]


def refused(capture: Capture, *words: str) -> tuple[int, str]:
    """Return the exit code and the line of the error."""
    code = main(["eval", *words])
    out, err = capture.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return code, err.removeprefix("error: ").rstrip("\n")


# --- what it prints --------------------------------------------------------------------------------------------------


def test_our_own_sets_score_every_enrichment_that_they_label(capsys: Capture) -> None:
    found = {(one["set"], one["enrichment"]): one for one in results(capsys)}
    assert found.keys() == {("stories", "sentiment"), ("stories", "topic"), ("names", "entities")}
    assert all(one["model"] == "offline-1" and one["cost"] == 0 and one["input_tokens"] > 0 for one in found.values())
    assert found["stories", "topic"]["rows"] == 60
    assert 1 / 15 < found["stories", "topic"]["columns"]["topic"]["macro_f1"] <= 1  # better than one label for all


def test_for_people_there_are_figures_by_class_and_the_confusion_matrix(mine: Path, capsys: Capture) -> None:
    assert main(["eval", "--labelled", str(mine)]) == 0
    told = capsys.readouterr().out
    lines = [line.split() for line in told.splitlines()]
    assert told.startswith("engine offline\n")
    assert ["tones", "sentiment", "offline-1", "3", "1.000", "1.000", "0"] in [line[:7] for line in lines]
    assert ["negative", "1.000", "1.000", "1.000", "1"] in lines
    assert ["negative", ".", ".", "1"] in lines
    assert ["label", "\\", "answer", "positive", "neutral", "negative"] in lines


def test_one_set_and_one_enrichment_can_be_asked_for(capsys: Capture) -> None:
    (one,) = results(capsys, "--set", "stories", "--enrichment", "sentiment")
    assert (one["set"], one["enrichment"]) == ("stories", "sentiment")
    both = results(capsys, "--set", "stories", "--set", "names", "--limit", "3")
    assert {one["set"] for one in both} == {"stories", "names"}


def test_a_limit_always_chooses_the_same_texts(capsys: Capture) -> None:
    first = results(capsys, "--set", "stories", "--enrichment", "sentiment", "--limit", "9")
    again = results(capsys, "--set", "stories", "--enrichment", "sentiment", "--limit", "9")
    assert first[0]["rows"] == 9
    assert first == again


def test_a_plan_shows_rows_tokens_and_cost(mine: Path, capsys: Capture) -> None:
    assert main(["eval", "--plan", "--json", "--labelled", str(mine)]) == 0
    (planned,) = json.loads(capsys.readouterr().out)["plan"]
    (asked,) = results(capsys, "--labelled", str(mine))
    assert {name: planned[name] for name in ("set", "enrichment", "model", "rows", "cost", "currency")} == {
        name: asked[name] for name in ("set", "enrichment", "model", "rows", "cost", "currency")
    }
    assert planned["input_tokens"] == asked["input_tokens"]
    assert main(["eval", "--plan", "--labelled", str(mine)]) == 0
    assert "nothing was asked" in capsys.readouterr().out


def test_the_users_warehouse_is_not_changed(home: Path, mine: Path, capsys: Capture) -> None:
    results(capsys, "--labelled", str(mine))
    assert not home.exists()


# --- two side by side ------------------------------------------------------------------------------------------------


def test_against_a_saved_result_nothing_changed_where_nothing_changed(
    mine: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert main(["eval", "--json", "--labelled", str(mine)]) == 0
    saved = tmp_path / "before.json"
    saved.write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["eval", "--labelled", str(mine), "--against", str(saved)]) == 0
    told = capsys.readouterr().out
    assert "wrong to right 0, right to wrong 0, of 3 rows that both have" in told
    assert ["F1", "1.000", "1.000", "+0.000"] in [line.split() for line in told.splitlines()]


def test_a_comparison_with_another_folder_asks_both(mine: Path, tmp_path: Path, capsys: Capture) -> None:
    # The other folder's question is about the same words for every text, so that its answer is always "positive".
    old = declared(
        tmp_path / "old", call="AI_CLASSIFY('a wonderful release, I love it' || left({{ input }}, 1), {{ labels }})"
    )
    words = ["eval", "--labelled", str(mine), "--enrichments", str(BUNDLED), "--enrichment", "sentiment"]
    assert main([*words, "--against", str(old), "--json"]) == 0
    (change,) = json.loads(capsys.readouterr().out)["changes"]
    assert change["accuracy"] == [pytest.approx(1 / 3), 1.0]
    assert (change["to_right"], change["to_wrong"], change["shared"]) == (2, 0, 3)
    assert change["classes"]["negative"] == [0.0, 1.0]
    assert main([*words, "--against", str(old)]) == 0
    assert "wrong to right 2, right to wrong 0" in capsys.readouterr().out


# --- errors ----------------------------------------------------------------------------------------------------------


def test_an_unknown_set_is_reported_with_the_known_sets(capsys: Capture) -> None:
    assert refused(capsys, "--set", "storys") == (
        2,
        "no labelled set is named 'storys'; the sets are names, stories; did you mean stories?",
    )


def test_an_unknown_enrichment_is_reported_with_the_known_enrichments(capsys: Capture) -> None:
    code, told = refused(capsys, "--enrichment", "tone")
    assert code == 2
    assert told.startswith("no enrichment is named 'tone'; the enrichments are ")


def test_a_set_without_a_label_for_the_enrichment_is_reported(capsys: Capture) -> None:
    code, told = refused(capsys, "--set", "stories", "--enrichment", "takeaway")
    assert code == 2
    assert told.startswith("set stories labels no column of takeaway: ")


def test_of_several_sets_the_set_without_a_label_for_the_enrichment_is_reported(capsys: Capture) -> None:
    code, told = refused(capsys, "--set", "stories", "--set", "names", "--enrichment", "topic")
    assert code == 2
    assert told.startswith("set names labels no column of topic: ")


def test_a_folder_without_a_set_is_reported(tmp_path: Path, capsys: Capture) -> None:
    code, told = refused(capsys, "--labelled", str(tmp_path))
    assert (code, told) == (2, f"{tmp_path} has no labelled set: put a file there, NAME.jsonl")


def test_a_malformed_row_is_reported_by_file_and_line(mine: Path, capsys: Capture) -> None:
    with (mine / "tones.jsonl").open("a", encoding="utf-8") as file:
        file.write('\n{"text": "x", "sentiment": "glad"}\n')
    code, told = refused(capsys, "--labelled", str(mine))
    assert code == 2
    assert told.startswith("tones.jsonl:4: sentiment 'glad' is none of enrichment sentiment's")


def test_a_refused_call_is_reported_with_the_set(mine: Path, tmp_path: Path, capsys: Capture) -> None:
    other = declared(tmp_path / "other", call="AI_NOT_THERE({{ input }}, {{ labels }})")
    code, told = refused(capsys, "--labelled", str(mine), "--enrichments", str(other))
    assert code == 4
    assert told.startswith("set tones, enrichment sentiment: ")
    assert "ai_not_there" in told.lower()


def test_an_engine_with_only_bad_answers_has_no_score(mine: Path, tmp_path: Path, capsys: Capture) -> None:
    other = declared(tmp_path / "other", call="AI_CLASSIFY(nullif({{ input }}, {{ input }}), {{ labels }})")
    code, told = refused(capsys, "--labelled", str(mine), "--enrichments", str(other))
    assert code == 6
    assert told.startswith("set tones, enrichment sentiment: all 3 answers are bad, the input is NULL")


# --- at an endpoint that is paid for ---------------------------------------------------------------------------------


@pytest.fixture
def endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    """Start an endpoint whose model costs a credit per thousand tokens, and set it as the engine."""
    prices = tmp_path / "prices.toml"
    prices.write_text('[[price]]\nmodel = "dear"\nfrom = 2020-01-01\ninput = 1000\noutput = 1000\n', encoding="utf-8")
    with ChatServer(Mood(model="dear")) as server:
        monkeypatch.setenv("HNINTEL_ENGINE", "openai")
        monkeypatch.setenv("HNINTEL_OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("HNINTEL_OPENAI_MODEL", "dear")
        monkeypatch.setenv("HNINTEL_OPENAI_ATTEMPTS", "1")
        monkeypatch.setenv("HNINTEL_PRICES_PATH", str(prices))
        yield server


def test_an_endpoint_is_asked_once_for_each_text_and_its_cost_is_shown(
    endpoint: ChatServer, mine: Path, capsys: Capture
) -> None:
    (one,) = results(capsys, "--labelled", str(mine))
    assert len(endpoint.asked) == 3
    assert (one["engine"], one["rows"]) == ("openai", 3)
    assert one["cost"] == pytest.approx((one["input_tokens"] + one["output_tokens"]) / 1000)


def test_a_plan_pays_for_nothing(endpoint: ChatServer, mine: Path, capsys: Capture) -> None:
    assert main(["eval", "--plan", "--json", "--labelled", str(mine)]) == 0
    assert json.loads(capsys.readouterr().out)["plan"][0]["cost"] > 0
    assert endpoint.asked == []


def test_more_than_a_run_may_cost_is_not_asked(
    endpoint: ChatServer, mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("HNINTEL_BUDGET_RUN", "0.0001")
    code, told = refused(capsys, "--labelled", str(mine))
    assert code == 8
    assert "0 are spent of HNINTEL_BUDGET_RUN=0.0001" in told
    assert endpoint.asked == []


def test_the_cost_is_booked_in_the_warehouse_and_under_no_day(
    endpoint: ChatServer, mine: Path, capsys: Capture
) -> None:
    (one,) = results(capsys, "--labelled", str(mine))
    (row,) = usage()
    assert (row["enrichment"], row["function"], row["model"], row["calls"]) == (
        "eval:sentiment",
        "AI_CLASSIFY",
        "dear",
        len(TONES),
    )
    assert row["credits"] == pytest.approx(one["cost"])
    assert row["run_id"].startswith("eval-")
    assert reserved() == []


@pytest.mark.parametrize("period", ["DAY", "MONTH"])
def test_the_cost_of_evaluations_counts_against_budgets(
    endpoint: ChatServer, mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, period: str
) -> None:
    (one,) = results(capsys, "--labelled", str(mine))
    monkeypatch.setenv(f"HNINTEL_BUDGET_{period}", str(one["cost"] * 1.01))
    code, told = refused(capsys, "--labelled", str(mine))
    assert code == 8
    assert f"are spent of HNINTEL_BUDGET_{period}=" in told
    assert len(endpoint.asked) == len(TONES)
    assert reserved() == []


def test_chunks_asked_before_the_endpoint_became_unreachable_are_booked(
    endpoint: ChatServer, mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("HNINTEL_ENRICH_CHUNK", "1")
    monkeypatch.setenv("HNINTEL_BUDGET_RUN", "100")
    endpoint.mood.always = {TONES[1][0][:20]: "401"}
    refused(capsys, "--labelled", str(mine))
    assert [row["calls"] for row in usage()] == [1]
    assert reserved() == []


def test_answers_of_a_chunk_before_the_endpoint_became_unreachable_are_booked(
    endpoint: ChatServer, mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("HNINTEL_OPENAI_CONCURRENCY", "1")
    endpoint.mood.always = {TONES[2][0][:20]: "401"}
    refused(capsys, "--labelled", str(mine))
    assert [row["calls"] for row in usage()] == [2]


def test_paid_results_are_shown_although_a_later_set_fails(
    endpoint: ChatServer, mine: Path, tmp_path: Path, capsys: Capture
) -> None:
    (mine / "zeal.jsonl").write_text('{"text": "LATE and great", "sentiment": "positive"}', encoding="utf-8")
    endpoint.mood.always = {"LATE": "401"}
    assert main(["eval", "--json", "--labelled", str(mine)]) == 4
    out, err = capsys.readouterr()
    assert [one["set"] for one in json.loads(out)["results"]] == ["tones"]
    assert err.startswith("error: set zeal, ")
    assert err.count("\n") == 1


def test_a_free_evaluation_opens_no_warehouse(home: Path, mine: Path, capsys: Capture) -> None:
    results(capsys, "--labelled", str(mine))
    assert list(home.rglob("*.duckdb")) == []


def usage() -> list[dict]:
    with open_warehouse(load_settings()).transaction(stage="enrich") as session:
        return session.rows("SELECT * FROM ops.ai_usage")


def reserved() -> list[dict]:
    with open_warehouse(load_settings()).transaction(stage="enrich") as session:
        return session.rows("SELECT * FROM ops.ai_reservations")


def test_a_question_that_both_folders_ask_is_paid_for_once(
    endpoint: ChatServer, mine: Path, tmp_path: Path, capsys: Capture
) -> None:
    new, old = declared(tmp_path / "new"), declared(tmp_path / "old")
    words = ["--labelled", str(mine), "--enrichments", str(new), "--against", str(old)]
    assert main(["eval", "--json", *words]) == 0
    assert len(endpoint.asked) == 3
    assert main(["eval", "--plan", "--json", *words]) == 0
    assert len(json.loads(capsys.readouterr().out.splitlines()[-1])["plan"]) == 1
    declared(old, call="AI_CLASSIFY('Story: ' || {{ input }}, {{ labels }})")
    assert main(["eval", "--json", *words]) == 0
    assert len(endpoint.asked) == 3 + 6


def test_a_saved_result_without_its_scores_is_refused_before_anything_is_asked(
    endpoint: ChatServer, mine: Path, tmp_path: Path, capsys: Capture
) -> None:
    told = {"results": results(capsys, "--labelled", str(mine))}
    told["results"][0]["columns"] = {}
    saved = tmp_path / "before.json"
    saved.write_text(json.dumps(told), encoding="utf-8")
    code, line = refused(capsys, "--labelled", str(mine), "--against", str(saved))
    assert code == 2
    assert "cannot be compared with" in line
    assert len(endpoint.asked) == 3


def test_with_nothing_in_common_nothing_is_asked(
    endpoint: ChatServer, mine: Path, tmp_path: Path, capsys: Capture
) -> None:
    saved = tmp_path / "before.json"
    saved.write_text('{"results": []}', encoding="utf-8")
    code, told = refused(capsys, "--labelled", str(mine), "--against", str(saved))
    assert code == 2
    assert told.startswith("nothing can be compared")
    assert endpoint.asked == []


def test_a_refusal_of_an_endpoint_is_a_bad_answer(endpoint: ChatServer, mine: Path, capsys: Capture) -> None:
    endpoint.mood = Mood(model="dear", always={"terrible": "refusal"})
    (one,) = results(capsys, "--labelled", str(mine))
    assert (one["rows"], one["bad_answers"]) == (3, 1)
    assert one["columns"]["sentiment"]["classes"]["negative"]["recall"] == 0


def test_an_unreachable_endpoint_is_reported_with_the_set(endpoint: ChatServer, mine: Path, capsys: Capture) -> None:
    endpoint.mood = Mood(model="dear", always={"": "500"})
    code, told = refused(capsys, "--labelled", str(mine))
    assert code == 4
    assert told.startswith(f"set tones, enrichment sentiment: {endpoint.base_url} does not answer")


def test_an_endpoint_that_refuses_every_text_has_no_score(endpoint: ChatServer, mine: Path, capsys: Capture) -> None:
    endpoint.mood = Mood(model="dear", always={"": "refusal"})
    code, told = refused(capsys, "--labelled", str(mine))
    assert code == 6
    assert told.startswith("set tones, enrichment sentiment: all 3 answers are bad")


# --- on real material ------------------------------------------------------------------------------------------------


@pytest.mark.slow  # thousands of posts
def test_the_offline_engine_reads_the_tone_of_real_posts(test_data: Path, capsys: Capture) -> None:
    (one,) = results(capsys, "--set", "senti4sd", "--data", str(test_data))
    assert (one["rows"], one["bad_answers"]) == (3097, 0)
    assert one["columns"]["sentiment"]["macro_f1"] > 0.74
