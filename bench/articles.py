"""How well articles are taken out of pages: precision, recall and F1 by the shingle measure of the benchmark itself.

    python bench/articles.py [--pages FOLDER] [--walls FOLDER] [--worst N]

The benchmark is scrapinghub/article-extraction-benchmark (MIT): real pages with the article's text set down by people.
Its measure: words are ``\\w+``, what is compared are runs of four of them with their multiplicity; each page's true and
false positives and misses are shares of their sum, so that long pages weigh no more; precision and recall are means
over pages, and F1 is theirs. Beside it: articles that were taken for walls, and how many pages of ``--walls``, which
a site sent in place of an article, were found. Pages go the way they go in a run, bytes to text included, through the
same processes.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import re
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from hnintel.settings import load_settings
from hnintel.web import media
from hnintel.web.extract import Extracted
from hnintel.web.extraction_pool import shared_pool

ROOT = Path(__file__).resolve().parent.parent
GOAL = 0.968
_RUN = 4
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Match:
    """The match of a page's text with its truth, as shares of shingles; they add up to 1, or are 0."""

    hits: float
    extra: float
    missed: float

    @property
    def precision(self) -> float:
        """The share of the extracted shingles that are expected; 1 where both texts are empty."""
        return self.hits / (self.hits + self.extra) if self.hits + self.extra else float(not self.missed)

    @property
    def recall(self) -> float:
        """The share of the expected shingles that were extracted."""
        return self.hits / (self.hits + self.missed) if self.hits + self.missed else float(not self.extra)


def match(truth: str, text: str) -> Match:
    """Compare two texts by their shingles."""
    expected, extracted = _shingles(truth), _shingles(text)
    hits, extra, missed = (expected & extracted).total(), (extracted - expected).total(), (expected - extracted).total()
    whole = (hits + extra + missed) or 1
    return Match(hits / whole, extra / whole, missed / whole)


def scores(matches: list[Match]) -> tuple[float, float, float]:
    """Precision, recall and F1 over pages; a page that gave no text counts in recall only."""
    precision = statistics.mean(page_match.precision for page_match in matches if page_match.hits + page_match.extra)
    recall = statistics.mean(page_match.recall for page_match in matches if page_match.hits + page_match.missed)
    return precision, recall, 2 * precision * recall / (precision + recall)


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    words = _WORDS.findall(text)
    runs = (tuple(words[start : start + _RUN]) for start in range(max(1, len(words) - _RUN + 1)))
    return Counter(run for run in runs if run)


async def _extract(pages: dict[str, Path]) -> dict[str, Extracted]:
    settings = load_settings()
    pool = shared_pool(settings.article_workers, settings.article_extract_timeout)

    async def extract_page(path: Path) -> Extracted:
        body = path.read_bytes()
        return await pool.article(
            media.to_text(gzip.decompress(body) if path.suffix == ".gz" else body, "text/html"), ""
        )

    read = await asyncio.gather(*(extract_page(path) for path in pages.values()))
    return dict(zip(pages, read, strict=True))


def _data() -> Path:
    return Path(os.environ.get("HNINTEL_TEST_DATA") or ROOT.parent / "shared" / "data")


def _print_walls(articles: dict[str, Extracted], walls: dict[str, Extracted]) -> bool:
    """Print the mistakes about walls; return whether all walls were detected and no article counts as a wall."""
    wrongly = {name: page.wall for name, page in articles.items() if page.wall}
    missed = [name for name, page in walls.items() if page.wall is None]
    print(
        f"walls: {len(walls) - len(missed)} of {len(walls)} detected; "
        f"articles wrongly walled: {len(wrongly)} of {len(articles)}"
    )
    for name, wall in wrongly.items():
        print(f"  {name[:16]} is an article, but was detected as {wall}")
    for name in missed:
        print(f"  {name} is a wall, but was read as an article")
    return not wrongly and not missed


def main() -> int:
    """Print the figures; 1 where F1 is below the goal, 2 where there are no pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--pages",
        type=Path,
        default=_data() / "articles" / "article_extraction_benchmark",
        help="folder with ground-truth.json and html/",
    )
    parser.add_argument("--walls", type=Path, default=_data() / "walls", help="a folder of pages that are walls")
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="name the N worst pages")
    arguments = parser.parse_args()
    if not (arguments.pages / "ground-truth.json").is_file():
        print(
            f"error: {arguments.pages} has no ground-truth.json: set HNINTEL_TEST_DATA or give --pages", file=sys.stderr
        )
        return 2
    truth = json.loads((arguments.pages / "ground-truth.json").read_text(encoding="utf-8"))
    pages = {key: path for key in truth if (path := arguments.pages / "html" / f"{key}.html.gz").is_file()}
    began = time.perf_counter()
    articles = asyncio.run(_extract(pages))
    took = time.perf_counter() - began
    walls = asyncio.run(_extract({path.name: path for path in sorted(arguments.walls.glob("*.html"))}))
    matches = {key: match(truth[key].get("articleBody", ""), articles[key].text or "") for key in pages}
    precision, recall, f1 = scores(list(matches.values()))
    print(f"{len(pages)} pages in {took:.1f} s: precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}")
    print(f"goal: F1 at least {GOAL}: {'met' if f1 >= GOAL else 'MISSED'}")
    for key, page_match in sorted(matches.items(), key=lambda item: item[1].hits)[: arguments.worst]:
        figures = f"precision {page_match.precision:.2f} recall {page_match.recall:.2f}"
        print(f"  {key[:16]} {figures} {truth[key].get('url', '')}")
    return 0 if _print_walls(articles, walls) and f1 >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
