"""What asking costs beside the answers themselves: rows a second, and a new day as the warehouse grows.

    python bench/enrich.py [--quick] [--part functions|growth]

First the embedded functions by themselves, over 1,000, 10,000 and 100,000 items: with answers that take no time (what
DuckDB and the way through Python cost), then as the offline engine gives them. Then a new day of 1,000 items is
enriched in warehouses that hold 10,000, 100,000 and 1,000,000 items with all their answers, again with answers that
take no time (the warehouse's own share) and with real ones. The sizes take turns; figures are medians.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from hnintel.engines.base import Answer, Engine, Label
from hnintel.engines.offline import OfflineEngine
from hnintel.enrich.declaration import Enrichment, load_enrichments
from hnintel.enrich.question import fingerprint_of
from hnintel.enrich.run import EnrichmentRun, enrich
from hnintel.enrich.tables import prepare
from hnintel.settings import Settings
from hnintel.warehouse.base import Session
from hnintel.warehouse.duckdb.adapter import DuckDBWarehouse
from hnintel.warehouse.duckdb.ai_functions import connect_with_functions

GOAL = 1.2
DAY = 1_000
_FIRST = date(2020, 1, 1)
#: About as long as a title and a paragraph, each of its own words.
_TEXT = (
    "'Show HN: Larch ' || {n} || ', a small database written in Rust' || chr(10) || chr(10) || "
    "'We released version ' || {n} % 97 || ' today. It is faster than Postgres for ' || {n} % 89 || ' kinds of query, "
    "and Acme Corp raised $' || {n} % 83 || 'M to run it. The team in Berlin loves how simple it has become to use.'"
)


class Instant:
    """An engine whose answers are valid and take no time."""

    def model(self, requested: str) -> str:
        """Return a name that no real model has."""
        return "offline-instant"

    def classify(self, texts: Sequence[str | None], labels: Sequence[Label], config: Mapping[str, Any]) -> list[Answer]:
        """Answer with the first label."""
        return [Answer({"labels": [labels[0].label]})] * len(texts)

    def complete(
        self, model: str, prompts: Sequence[str | None], parameters: Mapping[str, Any], schema: Mapping[str, Any] | None
    ) -> list[Answer]:
        """Answer each property with a word, a list with a word, or its first allowed value."""
        properties = (schema or {}).get("properties", {})
        values = {
            name: declared["enum"][0] if "enum" in declared else ["a"] if declared["type"] == "array" else "a"
            for name, declared in properties.items()
        }
        return [Answer(values or "a")] * len(prompts)

    def aggregate(self, texts: Sequence[str], task: str | None) -> Answer:
        """Answer with a word."""
        return Answer("a")

    def count_tokens(self, text: str) -> int:
        """Estimate by length."""
        return len(text) // 4


def rows_a_second(engine: Engine, enrichment: Enrichment, rows: int) -> float:
    """Return the rows per second of the embedded function, with the answers written to a table as for a chunk."""
    with connect_with_functions(engine) as connection:
        text = _TEXT.format(n="n")
        connection.execute(f"CREATE TABLE pending AS SELECT n AS item_id, {text} AS input FROM range({rows}) AS t(n)")
        call = enrichment.render_call(engine.model(enrichment.model))
        began = time.perf_counter()
        connection.execute(f"CREATE TABLE asked AS SELECT item_id, {call} AS answer FROM pending")
        took = time.perf_counter() - began
        missing = connection.execute("SELECT count(*) - count(answer) FROM asked").fetchall()[0][0]
    if missing:
        sys.exit(f"error: {missing} of {rows} answers of {enrichment.name} are missing: there is nothing to measure")
    return rows / took


class Grown:
    """A warehouse of *items* items, 1,000 a day, with all answers; :meth:`new_day` adds a day."""

    def __init__(self, folder: Path, items: int, enrichments: Sequence[Enrichment], engine: Engine) -> None:
        self.items, self._enrichments = items, enrichments
        self._settings = Settings(home=folder / f"{engine.model('')}-{items}", enrich_chunk=DAY)
        self.warehouse = DuckDBWarehouse(self._settings.warehouse_file, engine)
        with self.warehouse.transaction(stage="enrich") as session:
            for enrichment in enrichments:
                prepare(session, self.warehouse, enrichment, self._settings)
            _insert_items(session, 0, items)
            for enrichment in enrichments:
                self._insert_answers(session, enrichment)

    def new_day(self) -> float:
        """Load another day and enrich it; return the seconds of enriching."""
        with self.warehouse.transaction(stage="enrich") as session:
            _insert_items(session, self.items, DAY)
        day = _FIRST + timedelta(days=self.items // DAY)
        self.items += DAY
        began = time.perf_counter()
        for enrichment in self._enrichments:
            done = enrich(self.warehouse, enrichment, day, self._settings, str(day))
            if done.answered != DAY:
                sys.exit(f"error: {done.answered} of {DAY} items of {day} were answered: there is nothing to compare")
        return time.perf_counter() - began

    def _insert_answers(self, session: Session, enrichment: Enrichment) -> None:
        """Insert an answer for every item, with the fingerprint and the hash of a valid answer."""
        values = ", ".join("['a']" if column.kind == "list" else "'a'" for column in enrichment.columns)
        names = ", ".join(column.name for column in enrichment.columns)
        input_hash = "md5(md5(text))" if enrichment.input.many else "md5(title || chr(10) || chr(10) || text)"
        session.execute(
            f"INSERT INTO {enrichment.table} "
            f"(item_id, fingerprint, {names}, input_hash, input_cut, model, run_id, enriched_at) "
            f"SELECT id, ?, {values}, {input_hash}, FALSE, 'bench', 'bench', "
            "TIMESTAMP '2020-01-01' FROM raw.items",
            [fingerprint_of(self.warehouse, enrichment, self._settings)],
        )
        day = _FIRST + timedelta(days=self.items // DAY // 2)
        run = EnrichmentRun(self.warehouse, enrichment, day, self._settings, "bench")
        if left := run.estimate(session).rows:
            sys.exit(f"error: {left} items of {day} have no answer to {enrichment.name}: there is nothing to compare")


def _insert_items(session: Session, first: int, count: int) -> None:
    """Insert items, each with a comment of the same text."""
    session.execute(
        "INSERT INTO raw.items (id, day, type, status, title, text, score, comments, source, content_hash, run_id, "
        f"loaded_at) SELECT n, DATE '{_FIRST}' + CAST(n // {DAY} AS INTEGER), 'story', 'ok', 'Story ' || n, "
        f"{_TEXT.format(n='n')}, 100, 10, 'bench', md5(CAST(n AS VARCHAR)), 'bench', TIMESTAMP '2020-01-01' "
        f"FROM range({first}, {first + count}) AS t(n)"
    )
    session.execute(
        "INSERT INTO raw.comments (id, story_id, depth, status, text, content_hash, run_id, loaded_at) "
        "SELECT id, id, 1, 'ok', text, content_hash, run_id, loaded_at FROM raw.items WHERE id BETWEEN ? AND ?",
        [first, first + count - 1],
    )


def functions(enrichments: Sequence[Enrichment], sizes: Sequence[int]) -> Iterator[str]:
    """Yield a line for each enrichment and engine."""
    yield _row("function", "enrichment", "engine", *(f"{size:,} items" for size in sizes))
    for engine in (Instant(), OfflineEngine()):
        for enrichment in enrichments:
            measured = (rows_a_second(engine, enrichment, size) for size in sizes)
            yield _row(enrichment.function, enrichment.name, engine.model(""), *(f"{rate:,.0f}/s" for rate in measured))


def growth(
    folder: Path, enrichments: Sequence[Enrichment], sizes: Sequence[int], repeats: int, engine: Engine
) -> float:
    """Print a line for each size; return the time of a new day in the largest warehouse relative to the smallest."""
    grown = {size: Grown(folder, size, enrichments, engine) for size in sizes}
    took: dict[int, list[float]] = {size: [] for size in sizes}
    for turn in range(repeats + 1):
        for size, warehouse in grown.items():
            seconds = warehouse.new_day()
            if turn:  # the first day loads the engine's word lists
                took[size].append(seconds)
    median = {size: statistics.median(seconds) for size, seconds in took.items()}
    for size, seconds in median.items():
        each = " ".join(f"{seconds:.2f}" for seconds in took[size])
        times = f"{seconds / median[sizes[0]]:.2f} times"
        print(f"{engine.model('')}: {DAY:,} more into {size:>9,} items: {seconds:6.2f} s, {times} ({each})", flush=True)
    return median[sizes[-1]] / median[sizes[0]]


def _row(*cells: str) -> str:
    return "".join(f"{cell:>17}" for cell in cells)


def main() -> int:
    """Print the tables; return 1 if a new day takes too much longer in the largest warehouse."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of all sizes, to try the script and not to measure"
    )
    parser.add_argument("--part", choices=("functions", "growth"), help="run only this part")
    arguments = parser.parse_args()
    part = 10 if arguments.quick else 1
    enrichments = list(load_enrichments().values())
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
    if arguments.part != "growth":
        for line in functions(enrichments, [1_000 // part, 10_000 // part, 100_000 // part]):
            print(line, flush=True)
    if arguments.part == "functions":
        return 0
    with tempfile.TemporaryDirectory(prefix="hnintel-bench-") as folder:
        sizes = [size // part for size in (10_000, 100_000, 1_000_000)]
        repeats = 1 if arguments.quick else 5
        engines: tuple[Engine, ...] = (Instant(), OfflineEngine())
        times = max(growth(Path(folder), enrichments, sizes, repeats, engine) for engine in engines)
    missed = times > GOAL
    goal = f"goal: at most {GOAL} times as long at {sizes[-1]:,} as at {sizes[0]:,}"
    print(f"{goal}: {'MISSED' if missed else 'met'}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
