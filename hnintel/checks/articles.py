"""Checks of the pages that a day links to. They only warn: a missing page does not stop the day."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta

from hnintel.checks.check import Check, Verdict, share_of
from hnintel.checks.drift import as_usual
from hnintel.ledger.stage_names import ARTICLES
from hnintel.settings import Settings
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement


def articles_checks() -> list[Check]:
    """The checks of a day after its pages were read."""
    return [
        Check(ARTICLES, "pages given up", False, _given_up),
        Check(ARTICLES, "statuses as usual", False, _as_usual),
    ]


def _given_up(session: Session, day: date, settings: Settings) -> Verdict:
    counts = _statuses(session, day, day)[day]
    return share_of(counts["gave_up"], counts.total(), settings.check_lost_share, "pages were given up")


def _as_usual(session: Session, day: date, settings: Settings) -> Verdict:
    first = day - timedelta(days=settings.check_baseline_days)
    return as_usual(_statuses(session, first, day), day, settings, "pages")


def _statuses(session: Session, first: date, last: date) -> dict[date, Counter[str]]:
    by_day: dict[date, Counter[str]] = defaultdict(Counter)
    for day, status, pages in session.execute(statement("checks/articles"), [first, last]):
        by_day[day][status] = int(pages)
    return by_day
