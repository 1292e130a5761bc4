"""Reads what a page says of its article: title, author, day and language. Pure; no network.

The functions are trafilatura's. Its ``extract_metadata`` calls them too, and then searches the whole page for a date, a
licence, categories and tags, which nothing here keeps: that took a quarter to two fifths of an extraction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class PageMetadata:
    """What a page says of its article; None where it does not say it."""

    title: str | None = None
    author: str | None = None
    published_on: date | None = None
    language: str | None = None


def read_metadata(tree: Any, html: str, url: str) -> PageMetadata:
    """The metadata of the page *tree*, an ``lxml.html`` element that was parsed from *html*.

    Never raises for anything a page can hold; an unreadable part counts as not said.
    """
    from trafilatura import metadata  # 0.3 s: only where pages are read

    try:
        document = metadata.examine_meta(tree)
        if document.author and " " not in document.author:
            document.author = None  # a handle, not a name
        document = metadata.extract_meta_json(tree, document)
        title = document.title or metadata.extract_title(tree)
        author = document.author or metadata.extract_author(tree)
        language = document.language
    except Exception:  # trafilatura lets parser errors of all kinds through
        title = author = language = None
    return PageMetadata(title, author, _published_on(tree, url), _language(language, html))


def _published_on(tree: Any, url: str) -> date | None:
    from htmldate import find_date

    latest = (datetime.now(UTC) + timedelta(days=1)).date()
    try:
        found = find_date(
            tree, original_date=True, extensive_search=False, url=url or None, max_date=latest.isoformat()
        )
        return date.fromisoformat(str(found)[:10])
    except Exception:  # no date, or one of the parser errors
        return None


def _language(said: Any, html: str) -> str | None:
    declared = re.search(r"<html[^>]{0,500}?\blang\s*=\s*[\"']?([A-Za-z]{2})\b", html[:5000], re.IGNORECASE)
    code = str(said or (declared.group(1) if declared else "")).strip().lower()[:2]
    return code if re.fullmatch(r"[a-z]{2}", code) else None
