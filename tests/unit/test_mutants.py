"""What ``make mutants`` does around Cosmic Ray: its tests exist, its samples repeat, its counts are right."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from bench import mutants
from tests.conftest import ROOT


def mutant(line: int) -> Any:
    """What is read of a work item of Cosmic Ray."""
    change = SimpleNamespace(module_path="a.py", start_pos=(line, 0), operator_name="core/AddNot", occurrence=0)
    return SimpleNamespace(mutations=(change,))


ALL = [mutant(line) for line in range(100)]


def lines(sample: list[Any]) -> list[int]:
    return [item.mutations[0].start_pos[0] for item in sample]


@pytest.mark.parametrize("part", mutants.TESTS)
def test_a_part_and_each_file_of_its_tests_exist(part: str) -> None:
    assert (ROOT / part).exists()
    assert [name for name in mutants.TESTS[part].split() if not (ROOT / name).is_file()] == []


def test_the_same_seed_gives_the_same_sample_in_the_order_of_the_code() -> None:
    state = random.getstate()
    sample = lines(mutants.chosen(ALL, 10, 1))
    assert random.getstate() == state
    assert sample == lines(mutants.chosen(ALL, 10, 1)) == sorted(set(sample))
    assert len(sample) == 10
    assert sample != lines(mutants.chosen(ALL, 10, 2))


@pytest.mark.parametrize("size", [0, 100, 1000])
def test_a_sample_of_none_or_of_too_many_is_every_mutant(size: int) -> None:
    assert lines(mutants.chosen(ALL, size, 1)) == list(range(100))


def test_a_survivor_is_printed_with_its_change_and_a_killed_mutant_without() -> None:
    diff = "--- a\n+++ b\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
    survivor = mutants.Tested("a.py:1", "NumberReplacer", "survived", diff)
    killed = mutants.Tested("a.py:1", "NumberReplacer", "killed", diff)
    assert mutants.report(survivor) == "survived  a.py:1 NumberReplacer\n    -x = 1\n    +x = 2"
    assert mutants.report(killed) == "killed    a.py:1 NumberReplacer"
    counts = mutants.summary("part", [killed, survivor, killed], 50, 7)
    assert counts == "part: 3 of 50 mutants (seed 7): 2 killed, 1 survived"


def test_a_part_that_has_no_tests_is_refused_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        mutants.main(["hnintel/site"])
    assert "hnintel/site is no part" in capsys.readouterr().err
