"""Shared by the tests of the warehouse: a small warehouse with real rows, and engines that obey the protocol."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hnintel.cost.usage import Enriched
from hnintel.engines.base import Answer, Engine, Label
from hnintel.engines.offline import OfflineEngine
from hnintel.enrich.declaration import Enrichment
from hnintel.enrich.run import enrich
from hnintel.http.urls import canonical_url
from hnintel.ingest import articles, loading, scraping
from hnintel.ingest.rows import item as as_row
from hnintel.ledger import dead_letters
from hnintel.models import Article, FirebaseItem, Item
from hnintel.settings import Settings
from hnintel.settings.snowflake import Stage
from hnintel.sources.sample import SampleSource
from hnintel.warehouse.base import Warehouse
from hnintel.warehouse.duckdb.adapter import DuckDBWarehouse
from hnintel.warehouse.snowflake.adapter import SnowflakeWarehouse
from hnintel.window import Window
from tests.snowflake_stand_in import Statement, stand_in

DAY = date(2026, 10, 21)
NOW = datetime(2026, 10, 22, 6, 0)
_seconds = itertools.count()


def settings_in(folder: Path, **changed: Any) -> Settings:
    """Return settings with a separate home, and defaults for all others."""
    return Settings(home=folder, **changed)


#: Opens the warehouse of a folder, its AI functions answered by an engine, waiting some seconds for its lock:
#: ``opens(folder, engine, lock_wait)``, of which the last two may be left out.
Opens = Callable[..., Warehouse]


class Recording:
    """An engine that records every question and delegates the answer to another engine."""

    def __init__(self, engine: Engine | None = None) -> None:
        self.engine: Engine = engine or OfflineEngine()
        self.texts: list[str] = []
        self.groups: list[list[str]] = []

    def model(self, asked_for: str) -> str:
        return self.engine.model(asked_for)

    def classify(self, texts: Sequence[str | None], labels: Sequence[Label], config: Mapping[str, Any]) -> list[Answer]:
        self.texts += [text or "" for text in texts]
        return self.engine.classify(texts, labels, config)

    def complete(
        self, model: str, prompts: Sequence[str | None], parameters: Mapping[str, Any], schema: Mapping[str, Any] | None
    ) -> list[Answer]:
        self.texts += [prompt or "" for prompt in prompts]
        return self.engine.complete(model, prompts, parameters, schema)

    def aggregate(self, texts: Sequence[str], task: str | None) -> Answer:
        self.groups.append(list(texts))
        return self.engine.aggregate(texts, task)

    def count_tokens(self, text: str) -> int:
        return self.engine.count_tokens(text)

    def asked_about(self, word: str) -> int:
        """Count the questions that contain *word*; a question about a group counts once."""
        over_groups = sum(any(word in text for text in group) for group in self.groups)
        return sum(word in text for text in self.texts) or over_groups


class Answering:
    """An engine that obeys the protocol, except for texts to which ``instead`` gives another answer.

    ``instead`` gets a text and the good answer to it, and gives the answer; it may raise, as a lost endpoint does.
    """

    def __init__(self, instead: Callable[[str, Answer], Answer] = lambda _, good: good) -> None:
        self.instead = instead

    def model(self, asked_for: str) -> str:
        return "offline-test"

    def classify(self, texts: Sequence[str | None], labels: Sequence[Label], config: Mapping[str, Any]) -> list[Answer]:
        return [self.instead(text or "", Answer({"labels": [labels[0].label]})) for text in texts]

    def complete(
        self, model: str, prompts: Sequence[str | None], parameters: Mapping[str, Any], schema: Mapping[str, Any] | None
    ) -> list[Answer]:
        good = Answer("plain words" if schema is None else _promised(schema))
        return [self.instead(prompt or "", good) for prompt in prompts]

    def aggregate(self, texts: Sequence[str], task: str | None) -> Answer:
        return self.instead(" ".join(texts), Answer("a digest"))

    def count_tokens(self, text: str) -> int:
        return len(text.split())


def _promised(schema: Mapping[str, Any]) -> dict[str, Any]:
    by_type = {"string": "words", "number": 0.0, "integer": 0, "boolean": True, "array": ["words"]}
    at_that_time = {"date-time": "2026-10-21T00:00:00Z"}
    return {
        name: told["enum"][0]
        if "enum" in told
        else None
        if isinstance(told["type"], list)
        else at_that_time.get(told.get("format", ""), by_type[told["type"]])
        for name, told in schema["properties"].items()
    }


def open_duckdb(folder: Path, engine: Engine | None = None, lock_wait: float = 5.0) -> DuckDBWarehouse:
    """A DuckDB file below *folder*; the same folder gives the same file."""
    return DuckDBWarehouse(folder / "hnintel.duckdb", engine or OfflineEngine(), lock_wait)


class _Answered(SnowflakeWarehouse):
    """The Snowflake adapter with one of our engines in place of Cortex."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        super().__init__(settings)
        self._engine = engine

    def model(self, asked_for: str, asker: str = "") -> str:
        return self._engine.model(super().model(asked_for, asker))


def open_snowflake(folder: Path, engine: Engine | None = None, lock_wait: float = 5.0) -> SnowflakeWarehouse:
    """The Snowflake adapter on a database of the stand-in; the same folder gives the same database."""
    database = _database_of(folder)
    stand_in().make(database, engine)
    settings = settings_in(folder, **stand_in().settings, snowflake_database=database, lock_wait=lock_wait)
    return _Answered(settings, engine or OfflineEngine())


def _database_of(folder: Path) -> str:
    return f"D{hashlib.md5(str(folder).encode(), usedforsecurity=False).hexdigest()}"


def fresh_duckdb(folder: Path, engine: Engine | None = None) -> DuckDBWarehouse:
    """The same for tests that are about something else: a copy of an empty warehouse, since bringing one up takes
    longer than most tests do."""
    path = folder / "hnintel.duckdb"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_empty_warehouse())
    return open_duckdb(folder, engine)


def fresh_snowflake(folder: Path, engine: Engine | None = None) -> SnowflakeWarehouse:
    """As :func:`fresh_duckdb`: the migrations' tables are there, and their statements were not sent."""
    stand_in().make(_database_of(folder), engine, _empty_snowflake())
    return open_snowflake(folder, engine)


@cache
def _empty_snowflake() -> list[Statement]:
    with tempfile.TemporaryDirectory() as folder:
        with open_snowflake(Path(folder)).transaction(stage="enrich"):
            pass
        return stand_in().contents(_database_of(Path(folder)))


@cache
def _empty_warehouse() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        warehouse = open_duckdb(Path(folder))
        with warehouse.transaction(stage="enrich"):
            pass
        return warehouse.path.read_bytes()


def story(item_id: int, title: str | None = None, **changed: Any) -> Item:
    """A story of ``DAY`` as reading it from Hacker News gives it."""
    told: dict[str, Any] = {
        "id": item_id,
        "type": "story",
        "by": "someone",
        "time": 1_792_600_000 + item_id,
        "title": title or f"Story number {item_id} about databases",
        "score": 100 + item_id,
        "descendants": 3,
        "text": f"What story {item_id} says: a new storage engine for SQL indexes was released and it works well.",
    }
    return as_row(FirebaseItem.model_validate({**told, **changed}), DAY, "sample")


def load(warehouse: Warehouse, items: Iterable[Item], run_id: str = "loading", now: datetime | None = None) -> None:
    """Load *items* as a scraping task does, each time a second later than before."""
    now = now or NOW + timedelta(seconds=next(_seconds))
    with warehouse.transaction(stage="ingest") as session:
        loading.load(session, scraping.Scraped(items=list(items)), DAY, run_id, now)


def bury(
    warehouse: Warehouse, stage: str, keys: Iterable[str], reason: str = "away", now: datetime = NOW, day: date = DAY
) -> None:
    """Record another failed attempt at *keys*, as reading them does."""
    with warehouse.transaction(stage="ingest") as session:
        failed = {(stage, key): reason for key in keys}
        dead_letters.settle_letters(session, dead_letters.stage_letters(session, day, failed, (), "a-run", now))


def load_article(warehouse: Warehouse, url: str, text: str) -> None:
    """Store *text* as the article at *url*."""
    article = Article(canonical_url=canonical_url(url) or url, url=url, status="ok", text=text)
    fetch(warehouse, "DELETE FROM raw.articles WHERE canonical_url = ?", [article.canonical_url], "ingest")
    with warehouse.transaction(stage="ingest") as session:
        articles.load_articles(session, [article], DAY, "loading", NOW)


def load_sample(warehouse: Warehouse, day: date = DAY) -> None:
    """Load the stories, jobs and polls of a day of the bundled sample, and the comments below them."""
    with warehouse.transaction(stage="ingest") as session:
        loading.load(session, sample_day(day), DAY, "loading", NOW)


@cache
def sample_day(day: date) -> scraping.Scraped:
    """Return the items of a day of the sample, dead and deleted items included."""
    source, settings = SampleSource(), Settings()

    async def read() -> scraping.Scraped:
        listing = await source.list_day(Window.of(day, "America/New_York"))
        return await scraping.scrape(source, list(listing.ids), day, settings)

    return asyncio.run(read())


def fetch(warehouse: Warehouse, sql: str, params: Sequence[Any] = (), stage: Stage = "enrich") -> list[tuple[Any, ...]]:
    """Return the rows of a query, in a separate transaction."""
    with warehouse.transaction(stage=stage) as session:
        return session.execute(sql, params)


class Asking:
    """A warehouse, an engine and settings, with which enrichments are run as a flow runs them."""

    #: Which warehouse; a suite that runs on another one has that here.
    opens: Opens = staticmethod(fresh_duckdb)

    def __init__(self, folder: Path, engine: Engine | None = None, **settings: Any) -> None:
        self.settings = settings_in(folder, **settings)
        self.engine = Recording(engine)
        self.warehouse = self.opens(folder, self.engine)

    def run(self, enrichment: Enrichment, run_id: str = "run", **settings: Any) -> Enriched:
        """Ask the pending questions of ``DAY``; afterwards the engine has only the texts of this run."""
        self.engine.texts.clear()
        self.engine.groups.clear()
        return enrich(self.warehouse, enrichment, DAY, self.settings.model_copy(update=settings), run_id)

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows of a query, by column name."""
        with self.warehouse.transaction(stage="enrich") as session:
            return session.rows(sql, params)

    def answers(self, enrichment: Enrichment, current: bool = True) -> list[dict[str, Any]]:
        """Return the shown answers, or all stored answers, by item."""
        return self.rows(
            f"SELECT * FROM {enrichment.table}{'_current' if current else ''} ORDER BY item_id, enriched_at"
        )

    def letters(self) -> list[dict[str, Any]]:
        """The dead letters, by item."""
        return self.rows("SELECT * FROM ops.dead_letters ORDER BY CAST(key AS BIGINT)")
