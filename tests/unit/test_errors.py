"""Errors: each kind has an exit code of its own, so that a script can tell them apart."""

from __future__ import annotations

import inspect

import pytest

from hnintel import errors
from hnintel.errors import HnIntelError, first_line

CLASSES = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, HnIntelError)]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_is_told_with_its_message_and_an_exit_code(kind: type[HnIntelError]) -> None:
    with pytest.raises(HnIntelError, match=r"^what happened$"):
        raise kind("what happened")
    assert 0 < kind.exit_code < 128
    assert kind.__doc__


def test_the_exit_codes_tell_the_kinds_apart() -> None:
    direct = [kind for kind in CLASSES if kind.__base__ is HnIntelError]
    codes = [kind.exit_code for kind in direct]
    assert len(direct) > 3
    assert len(set(codes)) == len(codes)
    for kind in CLASSES:
        if kind not in (HnIntelError, *direct):
            assert kind.exit_code == kind.__base__.exit_code, "a kind of a kind is told like it"


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (ValueError("what happened\nand where"), "what happened"),
        (ValueError("\n  what happened \r\nand where"), "what happened"),
        ("x" * 400, "x" * 300),
        (ValueError(), "no message"),
        (" \n ", "no message"),
    ],
)
def test_of_an_error_the_first_line_that_says_something_is_told_and_not_without_end(message: object, line: str) -> None:
    assert first_line(message).rstrip() == line
    assert first_line(message, 4) == line[:4]
