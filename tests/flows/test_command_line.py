"""``python flows/main.py`` with what is wrong: one line, a non-zero exit, no traceback, nothing written."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.local.day import main
from flows.local.watch import main_watch
from tests.conftest import ROOT


@pytest.fixture
def refused(home: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """Append the arguments; after the test they must have been refused in one line, before anything was written."""
    argv: list[str] = []
    yield argv
    assert not home.exists()


def said(argv: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(argv)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    return code, captured.err


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["--source", "sample", "--day", "2999-01-01"], "error: 2999-01-01 has not begun in America/New_York"),
        (["--source", "sample", "--day", "2026-13-01"], "error: '2026-13-01' is not a day: write it as YYYY-MM-DD"),
        (["--source", "sample", "--day", "20261022"], "error: '20261022' is not a day"),
        (["--source", "sample", "--day", "tomorrow"], "error: 'tomorrow' is not a day"),
        (["--source", "sample", "--day", "yesterday"], "error: sample has no story of "),
        (
            ["--source", "sample", "--day", "2026-10-19"],
            "error: sample has no story of 2026-10-19: give one of the days ",
        ),
        (["--source", "sample", "--day", ""], "error: '' is not a day"),
        (["--source", "sample", "--day", "1999-01-01"], "error: 1999-01-01 is before HNINTEL_FIRST_DAY"),
        (["--source", "reddit"], "error: 'reddit' is not a source: give one of sample, replay:PATH, live"),
        (["--source", "replay:"], "error: 'replay:' is not a source"),
        (["--source", "replay:/no/such/file.json"], "error: /no/such/file.json does not exist"),
        (["--days", "3"], "error: No such option: --days"),
    ],
)
def test_wrong_words_are_refused(
    refused: list[str], argv: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = said(argv, capsys)

    assert code == 2
    assert told.startswith(line)


def test_a_truncated_dump_is_refused_whole(
    refused: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = gzip.compress(b'{"id": 1, "type": "story", "time": 1792656000, "title": "x"}\n' * 5000)
    broken = tmp_path / "broken.ndjson.gz"
    broken.write_bytes(whole[: len(whole) // 2])

    code, told = said(["--source", f"replay:{broken}"], capsys)

    assert code == 3
    assert "broken.ndjson.gz cannot be read: the file is cut short" in told


def test_a_dump_without_stories_has_no_day_to_run(
    refused: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.json"
    empty.write_text(json.dumps([{"id": 1, "type": "comment", "time": 1792656000, "parent": 2}]), encoding="utf-8")

    code, told = said(["--source", f"replay:{empty}"], capsys)

    assert code == 2
    assert "holds no story with a time: there is no day to run" in told


def test_a_dump_that_is_no_json_says_so(refused: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.ndjson"
    broken.write_text("{not\n{json\n", encoding="utf-8")

    code, told = said(["--source", f"replay:{broken}"], capsys)

    assert code == 2
    assert "holds no story with a time (lines that are not JSON: 2)" in told


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("HNINTEL_HOME", str(tmp_path / "file" / "home"))

    code, told = said(["--source", "sample"], capsys)

    assert code == 4
    assert "cannot be written" in told
    assert "HNINTEL_HOME" in told


def test_a_misspelt_setting_is_named_with_the_one_meant(
    refused: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HNINTEL_CHUNKSIZE", "10")

    code, told = said(["--source", "sample"], capsys)

    assert (code, told) == (2, "error: HNINTEL_CHUNKSIZE is not a setting: did you mean HNINTEL_CHUNK_SIZE?\n")


def test_a_setting_out_of_range_is_named_with_what_is_allowed(
    refused: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HNINTEL_CHUNK_SIZE", "0")

    code, told = said(["--source", "sample"], capsys)

    assert code == 2
    assert told.startswith("error: HNINTEL_CHUNK_SIZE=0: ")


def test_help_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "--source" in capsys.readouterr().out


def test_the_poller_says_what_it_does_and_where_what_it_announces_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    assert main_watch(["--help"]) == 0
    told = capsys.readouterr().out
    assert "python flows/watch.py" in told
    assert "HNINTEL_WATCH_DUMPS" in told
    assert "PREFECT_API_URL" in told


def test_words_that_the_poller_does_not_know_are_refused(
    refused: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main_watch(["--source", "sample"]) == 2
    assert capsys.readouterr().err == "error: No such option: --source (--help tells how)\n"


def test_a_script_that_is_asked_for_help_gives_it(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "flows" / "watch.py"), "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: python flows/watch.py")
