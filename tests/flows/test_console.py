"""Every command of ``hnintel``: its help has an example, a wrong option is one line, ``--json`` is one document."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from deployments.command_line import commands
from flows.local.console import app, main
from hnintel.cli.exit_codes import EXIT_CODES
from tests.conftest import ROOT

Capture = pytest.CaptureFixture[str]

#: Every command by its whole name.
COMMANDS = dict(commands("hnintel", get_command(app)))
#: What to give a command so that its JSON can be looked at, with no server, no account and no home.
JSON: dict[str, tuple[list[str], int]] = {
    "hnintel run": (["--source", "sample", "--plan"], 0),
    "hnintel backfill": (["--source", "sample", "--from", "2026-10-20", "--to", "2026-10-22", "--plan"], 0),
    "hnintel reconcile": (["--source", "sample", "--plan"], 0),
    "hnintel status": ([], 0),
    "hnintel dead-letters list": ([], 0),
    "hnintel dead-letters retry": (["--source", "sample"], 0),
    "hnintel bill": ([], 0),
    "hnintel eval": (["--set", "stories", "--limit", "2", "--plan"], 0),
    "hnintel gen": (["--check"], 0),
    "hnintel prune": (["--dry-run"], 0),
    "hnintel retention": (["--dry-run"], 0),
    "hnintel schema drop": (["--prefix", "pr_12_", "--dry-run"], 0),
    "hnintel settings": ([], 0),
    "hnintel version": ([], 0),
}


def words_of(name: str) -> list[str]:
    return name.split(" ")[1:]


def test_every_command_that_was_promised_is_there() -> None:
    promised = "run backfill reconcile watch spotlight status dead-letters eval checks gen prune retention doctor bill"
    there = {words_of(name)[0] for name in COMMANDS}
    assert there == {*promised.split(), "schema", "settings", "version"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_says_what_it_does_and_has_an_example(name: str, capsys: Capture) -> None:
    assert main([*words_of(name), "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"Example: {name}" in shown or f" {name}" in shown.partition("Example: ")[2]
    assert COMMANDS[name].help.split("\n")[0].strip()


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_that_is_not_there_is_refused_in_one_line(name: str, home: Path, capsys: Capture) -> None:
    assert main([*words_of(name), "--no-such-option"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert "--no-such-option" in shown.err
    assert not home.exists()


@pytest.mark.parametrize("name", JSON)
def test_with_json_stdout_is_one_document(name: str, home: Path, capsys: Capture) -> None:
    words, code = JSON[name]
    assert main([*words_of(name), *words, "--json"]) == code, capsys.readouterr().err
    json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "name", [name for name, one in COMMANDS.items() if "--json" in str([p.opts for p in one.params])]
)
def test_every_command_with_a_json_form_is_looked_at_here_or_needs_more_than_a_home(name: str) -> None:
    assert name in {*JSON, "hnintel watch", "hnintel spotlight", "hnintel checks", "hnintel doctor"}


def test_an_unknown_command_is_refused_with_the_one_that_may_be_meant(capsys: Capture) -> None:
    assert main(["statsu"]) == 2
    assert "'status'" in capsys.readouterr().err


def test_an_unforeseen_error_is_one_line_that_names_the_file_with_its_traceback(
    home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("by\nnothing")

    monkeypatch.setattr("hnintel.cli.status.has_warehouse", broken)
    assert main(["status"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"error: unexpected ZeroDivisionError: by; details in {home / 'logs' / 'unexpected.log'}"
    assert "Traceback" in (home / "logs" / "unexpected.log").read_text(encoding="utf-8")


def test_the_help_groups_the_commands_and_has_every_exit_code(capsys: Capture) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert [panel for panel in ("Run days", "Inspect", "Maintain", "Set up") if f"─ {panel} ─" not in shown] == []
    told = " ".join(shown.split())
    assert [code for code, meaning in EXIT_CODES.items() if f"{code} {meaning}" not in told] == []


def test_the_version_is_that_of_the_installed_project(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    name, number = capsys.readouterr().out.split()
    assert name == "hnintel"
    assert main(["version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hn-intelligence"] == number


def ran(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    code = "from flows.local.console import script; script()"
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_shell_completes_commands() -> None:
    shown = ran("--show-completion", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1", SHELL="/bin/bash")
    done = ran(_HNINTEL_COMPLETE="complete_bash", COMP_WORDS="hnintel ba", COMP_CWORD="1")
    assert shown.returncode in (0, 2)
    assert (done.stdout.split(), done.returncode) == (["backfill"], 0), done.stderr


@pytest.mark.parametrize("words", [["status"], ["settings"], ["run", "--source", "sample", "--plan"], ["--help"]])
def test_what_runs_no_flow_imports_no_prefect(words: list[str], tmp_path: Path) -> None:
    code = "import sys; from flows.local.console import main; main(sys.argv[1:]); sys.exit('prefect' in sys.modules)"
    command = [sys.executable, "-c", code, *words]
    environ = os.environ | {"HNINTEL_HOME": str(tmp_path / "home")}
    assert subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    "script", ["main", "backfill", "reconcile", "watch", "spotlight", "checks", "billing", "enrich", "transform"]
)
def test_a_script_of_a_flow_has_a_help_with_an_example(script: str, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "flows" / f"{script}.py"), "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Usage: python flows/{script}.py" in done.stdout
    assert "Example: " in done.stdout


@pytest.mark.parametrize("script", ["reference.py", "checking/check.py"])
def test_a_script_of_the_deployments_only_prints_its_help(script: str, tmp_path: Path) -> None:
    pages = sorted((ROOT / "docs" / "reference").glob("*.md"))
    before = [page.stat().st_mtime_ns for page in pages]
    command = [sys.executable, str(ROOT / "deployments" / script), "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"usage: python deployments/{script}" in done.stdout
    assert [page.stat().st_mtime_ns for page in pages] == before
