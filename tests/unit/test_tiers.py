"""The tiers of the tests: what is only in the long one has a representative in one that runs at each change."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.enrichments.conftest import REGISTERED, STANDS_FOR


def test_an_enrichment_that_another_stands_for_is_asked_by_the_same_function() -> None:
    bundled = {name: other for name, other in STANDS_FOR.items() if {name, other} <= set(REGISTERED)}
    assert {REGISTERED[name].function == REGISTERED[other].function for name, other in bundled.items()} <= {True}
    assert not set(bundled.values()) & set(bundled)


def test_those_that_stand_for_others_ask_in_every_way_that_one_of_them_does() -> None:
    ways = {(one.function, one.input.many) for name, one in REGISTERED.items() if name not in STANDS_FOR}
    assert {one.function for one in REGISTERED.values()} == {function for function, _ in ways}
    assert {one.input.many for one in REGISTERED.values()} == {many for _, many in ways}


@pytest.mark.slow  # collects all tests, twice
def test_every_long_test_has_a_case_that_is_not_long() -> None:
    long, others = collected("long and not live"), collected("not long and not live")
    assert long
    assert long - others == set()


def collected(expression: str) -> set[str]:
    """The names of the test functions that a marker expression chooses, whatever their file and parameters."""
    words = ["--collect-only", "-q", "-p", "no:cacheprovider", "-o", "addopts=", "-m", expression]
    command = [sys.executable, "-m", "pytest", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    return {line.split("::")[-1].split("[")[0] for line in done.stdout.splitlines() if "::" in line}
