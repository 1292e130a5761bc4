"""Reads what a page says of its article: title, author, day, language, description. Pure; no network.

The functions are trafilatura's. Its ``extract_metadata`` calls them too, and then searches the whole page for a date, a
licence, categories and tags, which nothing here keeps: that took a quarter to two fifths of an extraction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urljoin

from w3lib.html import remove_tags, replace_entities

from hnintel.web.linked_data import is_of_type, linked_data, objects

#: The most characters of a description, which is cut at a word, and of a site's name.
LONGEST_DESCRIPTION, LONGEST_SITE_NAME = 500, 100
#: Characters of a description that are read before it is cleaned.
_READ = 8 * LONGEST_DESCRIPTION
#: Types of linked data that describe the article of a page, by the ends of their names (schema.org).
_ARTICLE_TYPES = ("article", "posting", "report", "webpage", "videoobject", "softwaresourcecode", "review", "recipe")
#: What stands between the parts of a title: the article's name, the site's, its slogan.
_PARTS = re.compile(r"\s[|–—·:»-]\s|\|")


@dataclass(frozen=True, slots=True)
class PageMetadata:
    """What a page says of its article; None where it does not say it."""

    title: str | None = None
    author: str | None = None
    published_on: date | None = None
    language: str | None = None
    description: str | None = None
    site_name: str | None = None
    declared_url: str | None = None


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
    site_name = _site_name(tree)
    return PageMetadata(
        title=title,
        author=author,
        published_on=_published_on(tree, url),
        language=_language(language, html),
        description=_description(tree, [title, site_name, *tree.xpath("//title[1]/text()")]),
        site_name=site_name,
        declared_url=_declared_url(tree, url),
    )


def one_line(text: str) -> str:
    """*text* on a line, without markup and entities."""
    return " ".join(replace_entities(remove_tags(replace_entities(text))).split())


def _description(tree: Any, names: list[Any]) -> str | None:
    """The first description of the page that is not one of *names*: its title, or the name or slogan of its site."""
    parts = {_letters(part) for name in names if isinstance(name, str) for part in [name, *_PARTS.split(name)]}
    for described in _descriptions(tree):
        line = one_line(described[:_READ])
        if _letters(line) and _letters(line) not in parts:
            return _cut(line, LONGEST_DESCRIPTION)
    return None


def _descriptions(tree: Any) -> Iterator[str]:
    yield from _meta(tree, "description")
    yield from _meta(tree, "og:description")
    for thing in _articles(tree):
        if isinstance(thing.get("description"), str):
            yield thing["description"]


def _site_name(tree: Any) -> str | None:
    for name in [*_meta(tree, "og:site_name"), *_publishers(tree)]:
        line = one_line(name[:_READ])
        if line:
            return _cut(line, LONGEST_SITE_NAME)
    return None


def _publishers(tree: Any) -> Iterator[str]:
    for thing in _articles(tree):
        publisher = thing.get("publisher")
        if isinstance(publisher, dict) and isinstance(publisher.get("name"), str):
            yield publisher["name"]


def _articles(tree: Any) -> Iterator[dict[str, Any]]:
    """The objects of the page's linked data that describe an article."""
    for data in linked_data(tree):
        yield from (thing for thing in objects(data) if is_of_type(thing, _ARTICLE_TYPES))


def _declared_url(tree: Any, url: str) -> str | None:
    """The address that the page declares as its own, joined to *url*; None where several differ."""
    links = [
        link.get("href") or "" for link in tree.iter("link") if "canonical" in (link.get("rel") or "").lower().split()
    ]
    try:
        found = {urljoin(url, link.strip()) for link in links if link.strip()}
    except ValueError:
        return None
    return found.pop() if len(found) == 1 else None


def _meta(tree: Any, name: str) -> Iterator[str]:
    """The contents of the page's meta elements with the name or property *name*."""
    for element in tree.iter("meta"):
        named = element.get("name") or element.get("property") or ""
        if named.strip().lower() == name:
            yield element.get("content") or ""


def _letters(text: str) -> str:
    """What two names are compared by: their letters and digits in lower case."""
    return "".join(char for char in text.casefold() if char.isalnum())


def _cut(line: str, longest: int) -> str:
    if len(line) <= longest:
        return line
    at_word = line[: longest - 1].rpartition(" ")[0]
    return (at_word or line[: longest - 1]) + "…"


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
