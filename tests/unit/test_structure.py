"""The figures of ``bench/structure.py``, on a tree that is small enough to work them out by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench import structure
from tests.conftest import ROOT

FILES = {
    "hnintel/__init__.py": "",
    "hnintel/errors.py": "import os\n",
    "hnintel/window.py": "from hnintel.errors import UsageError\n",
    "hnintel/web/__init__.py": "from .fetcher import Fetcher\n",
    "hnintel/web/fetcher.py": "from . import guard\nfrom ..window import Window\n",
    "hnintel/web/guard.py": "def late():\n    import hnintel.errors\n",
    "tasks/read.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from flows.main import day\n",
    "flows/main.py": "from hnintel import errors, web\nfrom tasks.read import read\n",
}
PRINTED = """\
files                      8
rooms                      6
loose modules in hnintel/  2
imports between rooms      7
longest chain of rooms     5: tasks.read > flows.main > hnintel.web > hnintel.window > hnintel.errors
imports upward, rooms      1 flows.main > tasks.read
circles of files           1 flows.main tasks.read
imports between folders    7
longest chain of folders   5: tasks > flows > hnintel.web > hnintel.window > hnintel.errors
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A checkout of eight files, two of which import each other."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_every_import_counts_wherever_it_is_and_however_it_is_written(tree: Path) -> None:
    assert structure.graph_of_files(tree) == {
        "hnintel": set(),
        "hnintel.errors": set(),
        "hnintel.window": {"hnintel.errors"},
        "hnintel.web": {"hnintel.web.fetcher"},
        "hnintel.web.fetcher": {"hnintel.web.guard", "hnintel.window"},
        "hnintel.web.guard": {"hnintel.errors"},
        "tasks.read": {"flows.main"},
        "flows.main": {"hnintel.errors", "hnintel.web", "tasks.read"},
    }


def test_the_script_prints_the_figures_of_a_checkout(tree: Path) -> None:
    argv = [sys.executable, "bench/structure.py", "--repo", str(tree)]
    assert subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout == PRINTED


def test_circles_are_found_apart_and_the_fewest_imports_break_them() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "b"}, "d": {"a", "e"}, "e": {"d"}, "f": {"f", "a"}}
    assert structure.circles(graph) == [["a", "b", "c"], ["d", "e"]]
    assert structure.upward(graph) == [("b", "c"), ("d", "e")]
    assert structure.circles({"a": {"b"}, "b": set()}) == []
