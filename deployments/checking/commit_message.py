"""Check the form of a commit message: ``python deployments/checking/commit_message.py FILE``, a hook of pre-commit."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

#: Characters of a subject: what `git log --oneline` shows in a terminal of 80 columns.
LONGEST_SUBJECT = 72
_SCISSORS = "# ------------------------ >8 ------------------------"


def problems(message: str) -> list[str]:
    """What is wrong with the form of *message*, as git gives it to a hook; an empty list where nothing is."""
    lines = _without_comments(message)
    if not lines:
        return ["the message is empty: write a subject"]
    wrong = []
    if len(lines[0]) > LONGEST_SUBJECT:
        wrong.append(f"the subject has {len(lines[0])} characters: shorten it to {LONGEST_SUBJECT} at most")
    if len(lines) > 1 and lines[1]:
        wrong.append("the second line is not blank: put a blank line between the subject and the body")
    return wrong


def _without_comments(message: str) -> list[str]:
    before = message.split(_SCISSORS, 1)[0]
    lines = [line.rstrip() for line in before.splitlines() if not line.startswith("#")]
    while lines and not lines[0]:
        del lines[0]
    while lines and not lines[-1]:
        del lines[-1]
    return lines


def main(arguments: Sequence[str]) -> int:
    """Print each problem on a line of its own.

    Args:
        arguments: the path of the file with the message, and nothing else.

    Returns:
        1 where the message has a problem, else 0.
    """
    wrong = problems(Path(arguments[0]).read_text(encoding="utf-8"))
    for line in wrong:
        print(f"commit message: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
