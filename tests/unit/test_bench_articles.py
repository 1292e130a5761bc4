"""The measure of ``bench/articles.py``, worked out by hand, and the figure that the project promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.articles import Match, match, scores

ROOT = Path(__file__).resolve().parents[2]


def test_shingles_are_runs_of_four_words_with_their_multiplicity() -> None:
    assert match("a b c d e", "a b c d e") == Match(1, 0, 0)
    assert match("a b c d e", "a, b; c. d") == Match(1 / 2, 0, 1 / 2)  # of (abcd, bcde) the first
    assert match("a b c d", "a b c d x a b c d") == Match(1 / 6, 5 / 6, 0)  # once wanted, twice there
    assert match("a b", "a b") == Match(1, 0, 0)  # what is shorter is one shingle
    assert match("a b c d", "") == Match(0, 0, 1)
    assert match("", "") == Match(0, 0, 0)


def test_precision_and_recall_are_means_over_pages_and_a_page_without_text_has_no_precision() -> None:
    precision, recall, f1 = scores([Match(1, 0, 0), Match(0.5, 0.5, 0), Match(0, 0, 1)])
    assert (precision, recall) == (0.75, 2 / 3)
    assert f1 == pytest.approx(2 * 0.75 * (2 / 3) / (0.75 + 2 / 3))


def test_without_the_pages_it_says_what_to_set(tmp_path: Path) -> None:
    ran = bench("--pages", str(tmp_path))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "HNINTEL_TEST_DATA" in ran.stderr


@pytest.mark.slow
def test_articles_are_found_as_well_as_is_promised(test_data: Path) -> None:
    ran = bench("--pages", str(test_data / "articles/article_extraction_benchmark"))
    assert ran.returncode == 0, ran.stdout
    assert "F1 0.9" in ran.stdout


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "bench/articles.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT.parent)
