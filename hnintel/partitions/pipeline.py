"""What a partition is made of: a fingerprint of what makes its rows, and a hash of the rows that they are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from pathlib import Path

from hnintel.briefing import sections
from hnintel.briefing.write import lines_hash
from hnintel.enrich.dbt_models import render_models
from hnintel.enrich.declaration import Enrichment, load_enrichments
from hnintel.enrich.question import fingerprint_of, max_chars
from hnintel.hashes import hash_of_values
from hnintel.ledger.stage_names import ARTICLES, BRIEFING, ENRICH, INGEST, PUBLISH, TRANSFORM
from hnintel.partitions.calendar import days_between
from hnintel.partitions.graph import Stages, stages_of
from hnintel.settings import ROOT, Settings
from hnintel.sources import open_source
from hnintel.sources.base import Source
from hnintel.warehouse.base import Session, Warehouse
from hnintel.warehouse.catalog import columns_of
from hnintel.warehouse.statements import statement
from hnintel.warehouse.table_hashes import VOLATILE

#: Raise it where reading a day comes to other rows than before, so that every day counts as stale.
_READING = 1
_NOTHING = "0"
#: What pages are made with: where one of these changes, every page counts as stale.
PAGE_FILES = ("hnintel/site", "hnintel/briefing/pages.py", "hnintel/sql/briefing/page_stories.sql")
#: What a page shows of its own day. Topics are left out: their table has a row for every topic that any day has.
_SHOWN = ("marts.stories", "marts.daily_sentiment", "marts.domains", "marts.entity_trends")


@dataclass(frozen=True)
class Making:
    """Who makes partitions here and now: the warehouse, the settings, and the source as the user named it."""

    warehouse: Warehouse
    settings: Settings
    spec: str

    @cached_property
    def enrichments(self) -> dict[str, Enrichment]:
        """As they are declared, by name."""
        return load_enrichments(self.settings.enrichments_path)

    @cached_property
    def asked(self) -> frozenset[str]:
        """The stages that ask an enrichment."""
        return frozenset(one.stage for one in self.enrichments.values())

    @cached_property
    def stages(self) -> Stages:
        """The stages of a day, in their order."""
        return stages_of(self.enrichments)

    @property
    def source(self) -> Source:
        """What days are read from."""
        return open_source(self.spec, self.settings)

    def fingerprint(self, stage: str) -> str:
        """Of what makes the rows of *stage*: the code, the question, the model, the settings that matter."""
        settings = self.settings
        if stage == INGEST:
            reach = [settings.comments_min_score, settings.comments_depth, settings.comments_per_story]
            return hash_of_values([_READING, self.spec, settings.time_zone, *reach])
        if stage == ARTICLES:
            return hash_of_values([_READING, self.spec, settings.article_max_chars])
        if stage == TRANSFORM:
            declared = [[str(path), text] for path, text in render_models(self.enrichments).items()]
            return hash_of_values(
                [_hash_of_files("dbt/models", "dbt/macros", "dbt/tests", "dbt/dbt_project.yml"), declared]
            )
        if stage == BRIEFING:
            return sections.fingerprint(sections.answering(self.warehouse))
        if stage == PUBLISH:
            return _hash_of_files(*PAGE_FILES)
        return fingerprint_of(self.warehouse, self._enrichment(stage), settings)

    def inputs(self, session: Session, stage: str, first: date, last: date) -> dict[date, str]:
        """A hash of the rows that *stage* reads, for each day from *first* to *last*."""
        read: dict[str, Callable[[Session, date, date], Mapping[date, str]]] = {
            INGEST: self._identity,
            ARTICLES: self._urls,
            TRANSFORM: self._before_marts,
            BRIEFING: self._lines,
            PUBLISH: self._shown,
        }
        found = read.get(stage, lambda *span: self._texts(self._enrichment(stage), *span))(session, first, last)
        return {day: str(found.get(day, _NOTHING)) for day in days_between(first, last)}

    def _enrichment(self, stage: str) -> Enrichment:
        return self.enrichments[stage.removeprefix(f"{ENRICH}:")]

    def _identity(self, _: Session, first: date, last: date) -> dict[date, str]:
        return dict.fromkeys(days_between(first, last), hash_of_values([self.source.identity]))

    def _urls(self, session: Session, first: date, last: date) -> dict[date, str]:
        urls = (
            "SELECT DISTINCT day, canonical_url FROM raw.items "
            "WHERE day BETWEEN ? AND ? AND status = 'ok' AND canonical_url IS NOT NULL"
        )
        return self._by_day(session, f"({urls}) AS urls", ["canonical_url"], [first, last])

    def _texts(self, one: Enrichment, session: Session, first: date, last: date) -> dict[date, str]:
        columns = ["item_id", "part", *(["place"] if one.input.many else [])]
        texts = statement(
            "enrich/stage_texts", where=one.where, input=one.input, max_chars=max_chars(one, self.settings)
        )
        return self._by_day(session, f"({texts}) AS texts", columns, [first, last])

    def _before_marts(self, session: Session, first: date, last: date) -> dict[date, str]:
        span = [first, last]
        items = "SELECT * FROM raw.items WHERE day BETWEEN ? AND ?"
        hashes = [
            self._by_day(session, f"({items}) AS items", ["id", "content_hash"], span),
            self._by_day(
                session,
                f"({items}) AS items INNER JOIN raw.articles AS a ON a.canonical_url = items.canonical_url",
                ["items.id", "a.status", "a.text_hash"],
                span,
            ),
            self._by_day(
                session,
                f"({items}) AS items INNER JOIN raw.comments AS c ON c.story_id = items.id",
                ["c.id", "c.content_hash"],
                span,
            ),
        ]
        for one in self.enrichments.values():
            columns = _columns(session, f"{one.table}_current")
            if columns:
                answers = f"({items}) AS items INNER JOIN {one.table}_current AS a ON a.item_id = items.id"
                hashes.append(self._by_day(session, answers, [f"a.{name}" for name in columns], span))
        return _together(hashes)

    def _lines(self, session: Session, first: date, last: date) -> dict[date, str]:
        if not _columns(session, "marts.stories"):
            return {}
        days = session.execute("SELECT DISTINCT day FROM marts.stories WHERE day BETWEEN ? AND ?", [first, last])
        return {day: lines_hash(session, self.warehouse, day) for (day,) in days}

    def _shown(self, session: Session, first: date, last: date) -> dict[date, str]:
        shown = []
        for table in (*_SHOWN, "enriched.briefings"):
            columns = [name for name in _columns(session, table) if name != "text"]  # what publishing itself writes
            if columns:
                rows = f"(SELECT * FROM {table} WHERE day BETWEEN ? AND ?) AS shown"
                shown.append(self._by_day(session, rows, columns, [first, last]))
        return _together(shown)

    def _by_day(self, session: Session, rows: str, columns: Sequence[str], params: Sequence[date]) -> dict[date, str]:
        hashed = self.warehouse.dialect.row_hash(columns)
        return {
            day: str(value) for day, value in session.execute(f"SELECT day, {hashed} FROM {rows} GROUP BY day", params)
        }


def _together(hashes: Iterable[Mapping[date, str]]) -> dict[date, str]:
    """One hash a day of several; a day that none of them knows has none."""
    listed = list(hashes)
    days = {day for one in listed for day in one}
    return {day: hash_of_values([one.get(day, _NOTHING) for one in listed]) for day in days}


def _columns(session: Session, name: str) -> list[str]:
    """The columns of a table or view, but for those that say when and by which run a row was written."""
    return [column for column in columns_of(session, name) if column not in VOLATILE]


@cache
def _hash_of_files(*names: str) -> str:
    """Of what is in files of ours and below folders of ours; the code that is loaded is what was there at the start."""
    found = [path for name in names for path in sorted([ROOT / name, *(ROOT / name).rglob("*")]) if _is_ours(path)]
    return hash_of_values([[str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")] for path in found])


def _is_ours(path: Path) -> bool:
    return path.is_file() and path.suffix in (".py", ".sql", ".yml", ".css", ".jinja")
