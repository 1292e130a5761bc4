"""Pages whose article is a known part of them: a repository's README, a video's description. Pure; no network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any
from urllib.parse import urlsplit

import lxml.html

from hnintel.web.linked_data import is_of_type, linked_data, objects

#: Sites of repositories; the page of one has two parts in its path.
_REPOSITORIES = frozenset({"github.com", "codeberg.org", "gitlab.com", "gitea.com", "git.sr.ht"})
_README = (
    "//article[contains(concat(' ', @class, ' '), ' markdown-body ')]"
    " | //*[@id='readme']//*[contains(@class, 'markdown')][not(ancestor::article)]"
)
#: The description in the data of a player, where a page has it nowhere else in full.
_SHORT_DESCRIPTION = '"shortDescription":'
_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.){0,20000}"')
#: Characters of the least description of a video that stands for it.
_LEAST = 40


def readme(tree: Any, url: str) -> Any:
    """A page with nothing but the README of the repository at *url*; None where that is no page of a repository."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    if host not in _REPOSITORIES or len(parts.path.strip("/").split("/")) != 2:
        return None
    parts_found = tree.xpath(_README)
    if len(parts_found) != 1:
        return None
    page = lxml.html.document_fromstring("<html><body><article></article></body></html>")
    page.find(".//article").append(deepcopy(parts_found[0]))
    return page


def video_description(tree: Any, html: str) -> str | None:
    """What the page of a video says of it; None of any other page, and where it says next to nothing."""
    types = tree.xpath("//meta[@property='og:type']/@content")
    described = list(_described_videos(tree))
    if not described and not any(name.lower().startswith("video") for name in types):
        return None
    described += tree.xpath("//meta[@property='og:description']/@content")
    described.append(_short_description(html))
    longest = max((text.strip() for text in described), key=len)
    return longest if len(longest) >= _LEAST else None


def _described_videos(tree: Any) -> Iterator[str]:
    """Descriptions of the video that a page is about: of no video within an article."""
    things = [thing for data in linked_data(tree) for thing in objects(data)]
    if any(is_of_type(thing, ("article", "posting")) for thing in things):
        return
    for thing in things:
        if is_of_type(thing, ("videoobject",)) and isinstance(thing.get("description"), str):
            yield thing["description"]


def _short_description(html: str) -> str:
    """The first short description in the data of a player; "" where there is none."""
    start = html.find(_SHORT_DESCRIPTION)
    written = _JSON_TEXT.match(html, start + len(_SHORT_DESCRIPTION)) if start >= 0 else None
    try:
        return str(json.loads(written[0])) if written else ""
    except ValueError:
        return ""
