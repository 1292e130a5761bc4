"""Which published pages exist on this machine. Where the warehouse is a file, they are in the home folder beside it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from hnintel.settings import Settings
from hnintel.site.page import page_path

INDEX = "index.html"


def missing(days: Iterable[date], settings: Settings) -> set[date]:
    """Return the published days whose page is missing; where the index is missing, also the newest day.

    Workers of a shared warehouse have a home each, where a page that another has written was never: none is missing.
    """
    published = set(days)
    if settings.warehouse != "duckdb" or not published:
        return set()
    names = {path.name for path in settings.site.glob("*.html")}
    gone = {day for day in published if page_path(day) not in names}
    return gone if INDEX in names else gone | {max(published)}
