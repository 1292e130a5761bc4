"""Which published pages are on this machine. Where the warehouse is a file, the pages lie in the home beside it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from hnintel.settings import Settings
from hnintel.site.page import page_path

INDEX = "index.html"


def missing(days: Iterable[date], settings: Settings) -> set[date]:
    """Those of *days*, all of them published, whose page is gone; the newest too where the index is.

    Workers of a shared warehouse have a home each, where a page that another has written was never: none is missing.
    """
    published = set(days)
    if settings.warehouse != "duckdb" or not published:
        return set()
    there = {path.name for path in settings.site.glob("*.html")}
    gone = {day for day in published if page_path(day) not in there}
    return gone if INDEX in there else gone | {max(published)}
