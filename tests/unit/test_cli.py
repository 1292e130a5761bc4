"""``python -m hnintel``: what each sub-command prints, and that an error is one line and a code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from hnintel.cli.app import main
from hnintel.settings import Settings, variable
from hnintel.sources.sample import SampleSource
from hnintel.warehouse import open_warehouse
from tests.conftest import ROOT
from tests.warehouse.world import bury

Capture = pytest.CaptureFixture[str]

DAY = date(2026, 10, 22)
LONG_AGO = datetime(2026, 10, 23, 6)


def _bury(home: Path, stage: str, *keys: str) -> None:
    bury(open_warehouse(Settings(home=home)), stage, keys, "127.0.0.1 answered HTTP 503", LONG_AGO, DAY)


def _story_id() -> int:
    stories = (raw for raw in SampleSource()._store.items.values() if raw and raw.get("type") == "story")
    return max(raw["id"] for raw in stories)


# --- settings --------------------------------------------------------------------------------------------------------


def test_settings_lists_every_setting_with_type_default_and_sentence(capsys: Capture) -> None:
    assert main(["settings", "--json"]) == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert listed.keys() == {variable(name) for name in Settings.model_fields}
    assert all(one["type"] and one["default"] and one["doc"].endswith(".") for one in listed.values())
    assert listed["HNINTEL_SETTLE_DAYS"]["type"] == "JSON list of integer"
    assert listed["HNINTEL_SETTLE_DAYS"]["default"] == "[1, 7]"
    assert listed["HNINTEL_RAW_TEXT_DAYS"]["default"] == "none"


def test_settings_are_also_told_for_people(capsys: Capture) -> None:
    assert main(["settings"]) == 0
    told = capsys.readouterr().out
    assert (
        "HNINTEL_COMMENTS_DEPTH  (integer; default: 4)\n    How many levels of comments are read; 0 reads none." in told
    )


def test_settings_are_listed_also_where_one_is_set_wrongly_which_is_told(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HNINTEL_SNOWFLAKE_ACOUNT", "a")
    assert main(["settings"]) == 2
    told = capsys.readouterr()
    assert "HNINTEL_COMMENTS_DEPTH" in told.out
    assert told.err == "error: HNINTEL_SNOWFLAKE_ACOUNT is not a setting: did you mean SNOWFLAKE_ACCOUNT?\n"


# --- dead letters ----------------------------------------------------------------------------------------------------


def test_without_dead_letters_it_says_that_there_are_none(home: Path, capsys: Capture) -> None:
    assert main(["dead-letters", "list"]) == 0
    assert capsys.readouterr().out == "no dead letters\n"
    assert main(["dead-letters", "retry", "--source", "sample"]) == 0
    assert capsys.readouterr().out == "no dead letter is due (--all retries the others too)\n"
    assert main(["dead-letters", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_dead_letters_are_listed_with_all_that_is_known_of_them(home: Path, capsys: Capture) -> None:
    _bury(home, "items", "7")
    assert main(["dead-letters", "list"]) == 0
    assert capsys.readouterr().out == (
        "items  7  of 2026-10-22: 127.0.0.1 answered HTTP 503  "
        "(1 tried, first 2026-10-23 06:00, last 2026-10-23 06:00, due)\n1 dead letter, 1 due\n"
    )
    assert main(["dead-letters", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "stage": "items",
            "key": "7",
            "day": "2026-10-22",
            "reason": "127.0.0.1 answered HTTP 503",
            "attempts": 1,
            "first_seen": "2026-10-23T06:00:00",
            "last_seen": "2026-10-23T06:00:00",
            "due": True,
        }
    ]


@pytest.mark.parametrize(
    ("options", "keys"),
    [([], ["1", "2", "1/1/9"]), (["--stage", "comments"], ["1/1/9"]), (["--day", "2026-10-21"], [])],
)
def test_the_list_can_be_narrowed(home: Path, capsys: Capture, options: list[str], keys: list[str]) -> None:
    _bury(home, "items", "1", "2")
    _bury(home, "comments", "1/1/9")
    assert main(["dead-letters", "list", "--json", *options]) == 0
    assert {letter["key"] for letter in json.loads(capsys.readouterr().out)} == set(keys)


def test_retry_takes_what_is_there_by_now_and_says_which_days_to_run(home: Path, capsys: Capture) -> None:
    _bury(home, "items", str(_story_id()))
    assert main(["dead-letters", "retry", "--source", "sample"]) == 0
    assert capsys.readouterr().out == (
        "1 read, 0 failed again, 0 due in the next run of their day\n"
        "run these days to process the items read: 2026-10-22\n"
    )
    assert main(["dead-letters", "list"]) == 0
    assert capsys.readouterr().out == "no dead letters\n"


def test_retry_leaves_what_is_not_due_unless_told(home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HNINTEL_LETTER_ATTEMPTS", "1")
    _bury(home, "items", str(_story_id()))
    assert main(["dead-letters", "retry", "--source", "sample", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"taken": 0, "failing": 0, "made_due": 0, "days": []}
    assert main(["dead-letters", "retry", "--source", "sample", "--json", "--all"]) == 0
    assert json.loads(capsys.readouterr().out) == {"taken": 1, "failing": 0, "made_due": 0, "days": ["2026-10-22"]}


# --- retention -------------------------------------------------------------------------------------------------------


def test_retention_says_what_would_go_and_then_lets_it_go(
    home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = home / "prefect" / "results" / "old"
    old.parent.mkdir(parents=True)
    old.write_text("result")
    os.utime(old, ((datetime.now() - timedelta(days=31)).timestamp(),) * 2)
    monkeypatch.delenv("PREFECT_LOCAL_STORAGE_PATH", raising=False)
    monkeypatch.setenv("HNINTEL_RAW_TEXT_DAYS", "90")
    assert main(["retention", "--dry-run"]) == 0
    assert capsys.readouterr().out == (
        "raw text of days more than 90 days ago would be deleted: 0 items, 0 comments, 0 articles\n"
        "cached results older than 30 days would be deleted: 1 file, 6 bytes\n"
    )
    assert old.exists()
    assert main(["retention"]) == 0
    assert "cached results older than 30 days deleted: 1 file, 6 bytes" in capsys.readouterr().out
    assert not old.exists()


# --- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["bogus"], 2, "error: No such command 'bogus' (--help tells how)"),
        (["dead-letters"], 2, "error: Missing command (--help tells how)"),
        (["dead-letters", "list", "--loud"], 2, "error: No such option: --loud (--help tells how)"),
        (
            ["dead-letters", "list", "--day", "monday"],
            2,
            "error: 'monday' is not a day: write it as YYYY-MM-DD, for example 2026-10-22",
        ),
        (
            ["dead-letters", "retry", "--source", "moon"],
            2,
            "error: 'moon' is not a source: give one of sample, replay:PATH, live",
        ),
    ],
)
def test_a_mistake_is_one_line_and_a_code(
    home: Path, capsys: Capture, arguments: list[str], code: int, line: str
) -> None:
    assert main(arguments) == code
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"{line}\n")


def test_it_runs_as_a_module_from_any_directory_and_leaves_with_the_code(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parent.parent.parent
    environ = {**os.environ, "PYTHONPATH": str(root), "HNINTEL_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "hnintel"]
    fine = subprocess.run([*command, "--help"], cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert fine.returncode == 0
    assert all(name in fine.stdout for name in ("settings", "dead-letters", "retention"))
    wrong = subprocess.run(
        [*command, "dead-letters", "list"],
        cwd=tmp_path,
        env={**environ, "HNINTEL_CHUNKSIZE": "3"},
        capture_output=True,
        text=True,
    )
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "error: HNINTEL_CHUNKSIZE is not a setting: did you mean HNINTEL_CHUNK_SIZE?\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_where_nothing_can_be_written_it_says_so_in_one_line(home: Path) -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "hnintel", "status"], stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT
        )
    assert ended.returncode == 1
    assert ended.stderr == "error: the output could not be written (No space left on device)\n"


# --- looking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["status"], ["status", "--json"], ["dead-letters", "list"], ["checks"]])
def test_looking_at_a_home_that_is_not_there_makes_no_warehouse(home: Path, words: list[str]) -> None:
    main(words)
    assert not home.exists()


def test_status_names_the_warehouse_that_is_not_there(home: Path, capsys: Capture) -> None:
    assert main(["status"]) == 0
    assert f"there is no warehouse at {home / 'hnintel.duckdb'}" in capsys.readouterr().out


def test_a_stage_without_dead_letters_is_refused_with_the_one_that_may_be_meant(home: Path, capsys: Capture) -> None:
    assert main(["dead-letters", "list", "--stage", "artcles"]) == 2
    assert "did you mean articles?" in capsys.readouterr().err


def test_dead_letters_of_an_enrichment_that_is_gone_can_be_asked_for(home: Path, capsys: Capture) -> None:
    _bury(home, "enrich:gone", "7")
    assert main(["dead-letters", "list", "--stage", "enrich:gone"]) == 0
    assert "1 dead letter, " in capsys.readouterr().out


def test_settings_show_what_is_in_force_by_group_and_no_secret(
    home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HNINTEL_COMMENTS_DEPTH", "2")
    monkeypatch.setenv("HNINTEL_OPENAI_API_KEY", "sk-hush")
    monkeypatch.setenv("HNINTEL_OPENAI_BASE_URL", "https://hush.example/v1")
    assert main(["settings", "--json"]) == 0
    shown = capsys.readouterr().out
    listed = {one["name"]: one for one in json.loads(shown)}
    assert "hush" not in shown
    assert listed["HNINTEL_COMMENTS_DEPTH"]["value"] == "2"
    assert listed["HNINTEL_OPENAI_API_KEY"]["value"] == listed["HNINTEL_OPENAI_BASE_URL"]["value"] == "set"
    assert listed["SNOWFLAKE_PASSWORD"]["value"] == "not set"
    assert listed["HNINTEL_COMMENTS_DEPTH"]["group"] == "Reading Hacker News"
    assert all(one["group"] for one in listed.values())
    assert main(["settings"]) == 0
    shown = capsys.readouterr().out
    assert "# Reading Hacker News\n" in shown
    assert "hush" not in shown
