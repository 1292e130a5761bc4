"""A warehouse with marts, as dbt leaves it, and a desk to write briefings at."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from hnintel.briefing.pages import publish
from hnintel.briefing.write import Written, write_briefing
from hnintel.engines.base import Answer, Engine
from hnintel.models import Item
from hnintel.warehouse.base import Session
from hnintel.warehouse.duckdb.adapter import DuckDBWarehouse
from tests.warehouse.world import DAY, Answering, Opens, Recording, fresh_duckdb, load, settings_in

# Column names and types are those of dbt/models; tests/flows runs the real ones.
_MARTS = """
CREATE SCHEMA IF NOT EXISTS marts;
CREATE SCHEMA IF NOT EXISTS staging;
CREATE OR REPLACE TABLE marts.stories AS
    SELECT id AS item_id, day, type, 'link' AS kind, status, title, url, domain, author, score, comments, posted_at,
        FALSE AS has_article, NULL AS article_status, NULL AS wall, 'positive' AS sentiment, 'databases' AS topic,
        'It tells of ' || title AS takeaway
    FROM raw.items;
CREATE OR REPLACE TABLE marts.discussions AS
    SELECT item_id, day, 'They agree on ' || title AS agreement, 'They dispute ' || title AS disagreement,
        'mixed' AS tone FROM marts.stories;
CREATE OR REPLACE TABLE marts.topic_trends AS
    SELECT day, topic, count(*) AS stories, sum(score) AS points, count(*) AS stories_7d, 0 AS stories_previous_7d,
        1.0 AS share_7d, 0 AS change_7d FROM marts.stories GROUP BY day, topic;
CREATE OR REPLACE TABLE marts.daily_sentiment AS
    SELECT day, sentiment, count(*) AS stories, 1.0 AS share, 1.0 AS average_score FROM marts.stories GROUP BY ALL;
CREATE OR REPLACE TABLE staging.int_entities__mentions AS
    SELECT item_id, day, 'company' AS entity_type, 'acme' AS entity_key, 'Acme' AS entity, score AS points
    FROM marts.stories WHERE title LIKE '%Acme%';
CREATE OR REPLACE TABLE marts.entity_trends AS
    SELECT day, entity_type, entity, count(*) AS mentions, sum(points) AS points, count(*) AS mentions_7d,
        0 AS mentions_previous_7d, day AS first_seen_day, TRUE AS is_new
    FROM staging.int_entities__mentions GROUP BY day, entity_type, entity;
CREATE OR REPLACE TABLE marts.domains AS
    SELECT day, domain, count(*) AS stories, sum(score) AS points, sum(comments) AS comments, count(*) AS stories_30d,
        min(item_id) AS best_item_id FROM marts.stories WHERE domain IS NOT NULL GROUP BY day, domain;
"""


def make_marts(session: Session) -> None:
    """The marts of the items that are there."""
    for statement in _MARTS.split(";"):
        if statement.strip():
            session.execute(statement)


class Desk:
    """Loads stories, writes briefings about them and publishes their pages."""

    def __init__(
        self, folder: Path, engine: Engine | None = None, opens: Opens = fresh_duckdb, **settings: Any
    ) -> None:
        self.engine = Recording(engine)
        self.warehouse = opens(folder, self.engine)
        self.settings = settings_in(folder, **settings)
        if isinstance(self.warehouse, DuckDBWarehouse):
            self._held = duckdb.connect(str(self.warehouse.path))  # opening it anew is then a matter of no time
        self.load([])

    def load(self, items: Iterable[Item]) -> None:
        """Load *items* and build the marts."""
        load(self.warehouse, items)
        with self.warehouse.transaction(stage="enrich") as session:
            make_marts(session)

    def write(self, day: date = DAY, run_id: str = "run") -> Written:
        """Write the briefing of a day; what this asked is in the engine afterwards."""
        self.engine.texts.clear()
        self.engine.groups.clear()
        return write_briefing(self.warehouse, day, run_id, self.settings)

    def publish(self, day: date = DAY) -> tuple[str, str]:
        """Publish a day; the page's HTML and Markdown."""
        path, markdown = publish(self.warehouse, day, self.settings)
        return path.read_text(encoding="utf-8"), markdown

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query, by column name."""
        with self.warehouse.transaction(stage="enrich") as session:
            return session.rows(sql)


def claiming(*claims: Any) -> Answering:
    """An engine that draws these claims out of every digest."""
    return answering({"claims": list(claims)})


def answering(value: Any) -> Answering:
    """An engine that writes digests, and answers every question for claims with *value*."""
    given = value if isinstance(value, Answer) else Answer(value)
    return Answering(lambda _, good: good if isinstance(good.value, str) else given)
