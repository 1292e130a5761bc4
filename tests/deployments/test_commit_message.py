"""A malformed commit message is refused, with a line for each problem."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deployments.checking import commit_message
from tests.conftest import ROOT

#: The line after which `git commit --verbose` puts the diff.
_SCISSORS = "# ------------------------ >8 ------------------------\n"


@pytest.mark.parametrize(
    "message",
    [
        "Keep the form",
        "x" * 72,
        "Keep the form\n\nFor a reason that takes a line of its own.\n",
        "\nKeep the form\n# Please enter the commit message\n#\tmodified: a file\n",
        "# a comment above\nKeep the form\n\n",
        f"Keep the form\n{_SCISSORS}diff --git a/file b/file\n",
    ],
)
def test_a_message_in_good_form_is_accepted(message: str) -> None:
    assert commit_message.problems(message) == []


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("", "is empty"),
        ("# only comments\n\n", "is empty"),
        ("x" * 73, "has 73 characters"),
        ("Keep the form\nwith no blank line", "second line"),
    ],
)
def test_a_message_in_bad_form_is_refused(message: str, problem: str) -> None:
    [line] = commit_message.problems(message)
    assert problem in line


@pytest.mark.parametrize(("message", "code"), [("Keep the form\n", 0), (f"{'x' * 80}\n", 1)])
def test_the_hook_ends_with_an_exit_code_that_git_reads(tmp_path: Path, message: str, code: int) -> None:
    path = tmp_path / "COMMIT_EDITMSG"
    path.write_text(message)
    hook = [sys.executable, ROOT / "deployments" / "checking" / "commit_message.py", path]
    ran = subprocess.run(hook, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ran.returncode == code
    assert ("commit message: " in ran.stderr) == bool(code)
