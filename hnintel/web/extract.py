"""HTML to text and metadata: articles (trafilatura) and the small HTML of Hacker News itself. Pure; no network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import lxml.etree
import lxml.html
from w3lib.html import remove_tags, replace_entities

from hnintel.web import known_pages, walls
from hnintel.web.page_metadata import read_metadata
from hnintel.web.pdf import NO_TEXT, read_pdf

#: Characters below which text that only the lenient reading finds is no article but what surrounds one.
_LEAST = 250
#: Share of the characters in a page's paragraphs below which its strict reading may have missed the article. Any value
#: from 0.3 to 0.7 gives the same F1 on the benchmark; the lower, the fewer pages are read twice.
_SHARE_OF_PARAGRAPHS = 0.4
# Tags that Hacker News' own HTML breaks lines at; everything else it writes is inline.
_BLOCKS = {"p": "\n\n", "pre": "\n\n", "br": "\n", "li": "\n"}
# The joiners U+200C and U+200D stay: Persian, Indic scripts and emoji are misspelt without them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_LINE_ENDS = re.compile("[\u2028\u2029]")
_JOINERS_ALONE = re.compile(r"[\s\u200c\u200d]+")


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a page holds; ``text`` is None where no article was found.

    ``wall`` is the kind of page that was sent in place of the article (``hnintel.web.walls``); it has no text, and a
    description only where that can be the article's. ``fault`` says why a file could not be read.
    """

    text: str | None
    title: str | None = None
    author: str | None = None
    published_on: date | None = None
    language: str | None = None
    wall: str | None = None
    description: str | None = None
    site_name: str | None = None
    declared_url: str | None = None
    fault: str | None = None


def clean(text: str) -> str:
    """*text* without control, invisible and bidirectional-override characters, which only ever hide something.

    A line or paragraph separator becomes a line's end; what is left of nothing but joiners is no text.
    """
    text = _LINE_ENDS.sub("\n", _INVISIBLE.sub("", text))
    return text.replace("\u200c", "").replace("\u200d", "") if _JOINERS_ALONE.fullmatch(text) else text


def item_text(html: str | None) -> str | None:
    """The text of a Hacker News item or comment: paragraphs apart, links by their address, code as it stands.

    None for nothing; text that is no HTML comes back as it is.
    """
    if not html or not html.strip():
        return None
    try:
        root = lxml.html.fragment_fromstring(clean(html), create_parent="div")
    except (lxml.etree.LxmlError, ValueError):
        return clean(html).strip() or None
    parts: list[str] = []
    _walk(root, parts)
    # libxml2 drops what is nested deeper than 256 elements; then the words without their tags are what there is.
    text = "".join(parts) if "".join(parts).strip() else replace_entities(remove_tags(clean(html)))
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"(?<![ \t])[ \t]+\n", "\n", text)).strip() or None


def _walk(root: lxml.html.HtmlElement, parts: list[str]) -> None:
    """Text in document order; iterative, because hostile HTML nests deeper than Python recurses."""
    for event, node in lxml.etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event == "start":
            parts.append(_BLOCKS.get(node.tag, ""))
            # Hacker News shortens what a long link shows ("https://example.com/some..."); its address is whole.
            shown, href = node.text or "", node.get("href") if node.tag == "a" else None
            parts.append(href if href and shown.endswith("...") and href.startswith(shown[:-3]) else shown)
            continue
        if event == "end" and node.tag == "pre":
            parts.append("\n\n")
        if node is not root:
            parts.append(node.tail or "")


def article(html: str, url: str) -> Extracted:
    """The main text of a page and what it says of itself; ``Extracted(None)`` where it has none.

    The strict reading leaves out bylines, navigation and "please enable JavaScript". The lenient reading replaces it
    where the strict text is less than half of the lenient one, as it is for pages whose markup looks like navigation.
    Never raises for anything a page can hold. How good it is: ``bench/articles.py``.
    """
    html = clean(html)
    tree = _parsed(html)
    if tree is None:
        return Extracted(None)
    text = _text(tree, url, favor_precision=True)
    part = known_pages.readme(tree, url)
    if part is not None:
        text = _text(part, url, favor_precision=False) or text
    elif len(text) < _SHARE_OF_PARAGRAPHS * _paragraph_characters(tree) or (not text and len(html) > _LEAST):
        lenient = _text(tree, url, favor_precision=False)
        if len(lenient) >= _LEAST and len(text) < len(lenient) / 2:
            text = lenient
    wall = walls.wall(tree, html, text)
    if not wall:
        text = max(text, known_pages.video_description(tree, html) or "", key=len)
    said = read_metadata(tree, html, url)
    description = _line(said.description)
    return Extracted(
        text=walls.without_promotion(text) if text and not wall else None,
        title=_line(said.title),
        author=_line(said.author),
        published_on=said.published_on,
        language=said.language,
        wall=wall,
        description=walls.description_behind(wall, said.title, description) if wall and description else description,
        site_name=_line(said.site_name),
        declared_url=_line(said.declared_url),
    )


def plain(text: str) -> Extracted:
    """A page that is plain text already: its text as it stands."""
    return Extracted(clean(text).strip() or None)


def pdf(data: bytes, seconds: float) -> Extracted:
    """The text, title and author of a PDF; ``Extracted(None)`` with a fault where it has none.

    Args:
        data: the file.
        seconds: after which what was read until then is the text.
    """
    read = read_pdf(data, seconds)
    text = clean(read.text or "").strip() or None
    return Extracted(text, _line(read.title), _line(read.author), fault=None if text else read.fault or NO_TEXT)


def _parsed(html: str) -> Any:
    from trafilatura.utils import load_html

    try:
        return load_html(html)
    except Exception:  # trafilatura lets parser errors of all kinds through; such a page has no text
        return None


def _text(tree: Any, url: str, favor_precision: bool) -> str:
    """The main text of the parsed page *tree*; "" where it has none."""
    import trafilatura  # 0.3 s: only where pages are read

    try:
        document = trafilatura.bare_extraction(
            tree,
            url=url,
            include_comments=False,
            include_tables=True,
            deduplicate=False,
            favor_precision=favor_precision,
        )
    except Exception:  # as in _parsed
        return ""
    text = document if document is None or isinstance(document, dict) else document.as_dict()
    return clean(str((text or {}).get("text") or "")).strip()


def _paragraph_characters(tree: Any) -> int:
    """Characters within the paragraphs of the page."""
    return sum(len("".join(paragraph.itertext()).strip()) for paragraph in tree.iter("p"))


def _line(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return " ".join(clean(value).split()) or None
