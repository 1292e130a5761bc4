"""Recognises pages that a site sends in place of an article: consent dialogs, log-in forms, paywalls. Pure; no network.

The wording is data: ``walls.toml`` beside this file. A page with a long article is never taken for a wall.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import lxml.etree
import lxml.html

from hnintel.web.linked_data import linked_data, objects

#: Kinds of walls that another attempt may not meet: reading is tried again.
PASSING = frozenset({"challenge", "consent", "error"})
#: Kinds of walls whose page may describe the article that is behind them.
_DESCRIBING = frozenset({"consent", "login", "paywall", "script_only", "region", "interstitial"})
#: Words of an article from which on the page is no wall, and below which a single strong sentence is enough.
_ARTICLE, _HARDLY_ANY = 200, 80
#: Words of lines that are not of the wall's wording, from which on the page is a short article: a note, a teaser.
_OWN = 50
#: Points: what a page needs, with hardly any article and with a short one.
_ENOUGH, _ENOUGH_WITH_TEXT = 3, 5
_TITLE, _STRONG, _MARKUP, _DECLARED = 3, 3, 2, 3
#: The most that weak words add, a point each.
_WEAK_AT_MOST = 2
#: Words of the whole page above which it is something else than a wall: an index, an app, a shop.
_LONGEST_PAGE = 1_200
#: A line of promotion has at most so many times the characters of its phrase, and so many more.
_LINE_FACTOR, _LINE_MORE = 3, 10
_SKIPPED = frozenset({"script", "style", "template", "svg", "head", "iframe"})
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
#: Markup of widgets that ask whether a visitor is human.
_CHALLENGES = (
    *("challenge-platform", "cf-turnstile", "captcha-delivery", "px-captcha", "_incapsula_", "awswafcaptcha"),
    *("g-recaptcha", "h-captcha"),
)


@dataclass(frozen=True, slots=True)
class _Wording:
    title: tuple[str, ...]
    strong: tuple[str, ...]
    weak: tuple[str, ...]


@lru_cache(maxsize=1)
def wordings() -> dict[str, _Wording]:
    """What is written on each kind of wall; ``lines`` are those of promotion within an article."""
    told = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {
        kind: _Wording(*(tuple(words.get(name, ())) for name in ("title", "strong", "weak")))
        for kind, words in told.items()
    }


def word_count(text: str) -> int:
    """Words of *text*; of Chinese, Japanese and Korean, two characters are one."""
    return len(text.split()) + len(_CJK.findall(text)) // 2


def wall(tree: Any, html: str, text: str | None) -> str | None:
    """Return the kind of wall that a page is, or None for any other page.

    Args:
        tree: the page, an ``lxml.html`` element parsed from *html*.
        html: the page as text.
        text: the article that was extracted from it.
    """
    article_words = word_count(text or "")
    if article_words >= _ARTICLE:
        return None
    title = _normal(" ".join(tree.xpath("//title[1]//text()")))
    page = " ".join(_visible(tree))
    if word_count(page) > _LONGEST_PAGE:
        return None
    points = _points(title, _normal(page), _markup(tree, html))
    kind, most = max(points.items(), key=lambda item: item[1])
    enough = _ENOUGH if article_words < _HARDLY_ANY else _ENOUGH_WITH_TEXT
    return kind if most >= enough and _own_words(text or "", wordings()[kind]) < _OWN else None


def description_behind(kind: str, title: str | None, description: str) -> str | None:
    """Return the *description* of a page that is a wall of *kind*, or None where it describes the wall or the site.

    A page that is named after a wall ("Log in") describes no article, and a description in a wall's wording is the
    wall's. A description that other pages of the site have too is sorted out later (``sql/enrich/inputs/story.sql``).
    """
    if kind not in _DESCRIBING:
        return None
    wording = [words for name, words in wordings().items() if name != "lines"]
    is_named_a_wall = any(_names(_normal(title or ""), phrase) for words in wording for phrase in words.title)
    is_wording = any(phrase in _normal(description) for words in wording for phrase in words.strong)
    return None if is_named_a_wall or is_wording else description


def _own_words(text: str, wording: _Wording) -> int:
    """Words of the lines of *text* that have nothing of the wall's wording in them."""
    phrases = wording.strong + wording.weak
    return sum(word_count(line) for line in text.split("\n") if not any(phrase in _normal(line) for phrase in phrases))


def without_promotion(text: str) -> str:
    """*text* without short lines that ask to subscribe, share or register; unchanged where it has no other lines."""
    phrases = wordings()["lines"].strong
    kept = [line for line in text.split("\n") if not (line.strip() and _is_promotion(line, phrases))]
    return "\n".join(kept) if any(line.strip() for line in kept) else text


def _is_promotion(line: str, phrases: tuple[str, ...]) -> bool:
    normal = _normal(line)
    return any(phrase in normal and len(normal) <= _LINE_FACTOR * len(phrase) + _LINE_MORE for phrase in phrases)


def _points(title: str, page: str, markup: dict[str, int]) -> dict[str, int]:
    """Points of each kind; 0 for a kind of which the page has hints alone, such as weak words."""
    points = {}
    for kind, words in wordings().items():
        if kind == "lines":
            continue
        strong = _STRONG if any(phrase in page for phrase in words.strong) else 0
        weak = min(_WEAK_AT_MOST, sum(phrase in page for phrase in words.weak))
        named = _TITLE if any(_names(title, phrase) for phrase in words.title) else 0
        marked = markup.get(kind, 0)
        is_sure = strong or (named and (weak or marked)) or (marked >= _DECLARED and weak)
        points[kind] = strong + weak + named + marked if is_sure else 0
    return points


def _names(title: str, phrase: str) -> bool:
    """Whether a title is *phrase*, with the site's name or a few words more."""
    return phrase in title and len(title) <= len(phrase) + 40


def _markup(root: lxml.html.HtmlElement, html: str) -> dict[str, int]:
    """Points by kind for what is in the page's markup."""
    points: dict[str, int] = {}
    lower = html.lower()
    if any(sign in lower for sign in _CHALLENGES):
        points["challenge"] = _MARKUP
    if root.xpath("//input[@type='password']"):
        points["login"] = _MARKUP
    if any(_is_not_free(data) for data in linked_data(root)):
        points["paywall"] = _DECLARED
    return points


def _is_not_free(data: Any) -> bool:
    """Whether linked data says of something that it is not accessible for free (schema.org/isAccessibleForFree)."""
    return any(str(thing.get("isAccessibleForFree", "")).lower() == "false" for thing in objects(data))


def _visible(root: lxml.html.HtmlElement) -> Iterator[str]:
    """The texts of a page in their order, those for a browser without scripts included."""
    skipping = 0
    for event, node in lxml.etree.iterwalk(root, events=("start", "end")):
        is_skipped = node.tag in _SKIPPED
        if event == "start":
            skipping += is_skipped
            if not skipping and node.text:
                yield node.text
        else:
            skipping -= is_skipped
            if not skipping and node.tail:
                yield node.tail


def _normal(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").replace("‘", "'").split())
