"""A printed count agrees with its noun: ``1 answer``, ``2 answers``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnintel.errors import counted
from tests.conftest import ROOT

FOLDERS = ("flows", "tasks", "hnintel/checks", "hnintel/cli", "hnintel/planning", "hnintel/runs", "hnintel/warehouse")
#: Plurals that stand behind a number in messages.
NOUNS = re.compile(
    r" (?:more )?(answers|articles|bytes|calls|claims|comments|days|files|items|models|questions|rows|schemas|"
    r"tables|tests|tokens|weeks)\b"
)


def plurals_behind_a_value(source: str) -> Iterator[str]:
    """Yield the texts that begin with a plural directly behind a value of an f-string; a constant is never 1."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, text in zip(node.values, node.values[1:], strict=False):
            if (
                isinstance(value, ast.FormattedValue)
                and not ast.unparse(value.value).rpartition(".")[2].isupper()
                and isinstance(text, ast.Constant)
                and NOUNS.match(str(text.value))
            ):
                yield str(text.value)


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_message_puts_a_plural_behind_a_number_without_counting_it(folder: str) -> None:
    plurals = {
        f"{path.relative_to(ROOT)}: {text}"
        for path in sorted((Path(ROOT) / folder).rglob("*.py"))
        for text in plurals_behind_a_value(path.read_text(encoding="utf-8"))
    }
    assert plurals == set()


@given(st.integers(min_value=0, max_value=10**9), st.sampled_from(["day", "answer", "schema"]))
def test_only_the_number_one_has_the_singular(number: int, noun: str) -> None:
    assert counted(number, noun) == f"{number} {noun}{'' if number == 1 else 's'}"
