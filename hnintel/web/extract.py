"""HTML to text and metadata: articles (trafilatura) and Hacker News' own HTML. Pure; no network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import lxml.etree
import lxml.html
from w3lib.html import remove_tags, replace_entities

#: A shorter text (characters) from the lenient extraction is rejected: it is navigation, not an article.
_LEAST = 250
# Tags of Hacker News' own HTML that break lines; all others are inline.
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
    """A page's text and metadata; ``text`` is None if the page has no article."""

    text: str | None
    title: str | None = None
    author: str | None = None
    published_on: date | None = None
    language: str | None = None
    wall: str | None = None


def clean(text: str) -> str:
    """*text* without control, invisible and bidirectional-override characters, which only hide text.

    Line and paragraph separators become newlines; text of joiners and blanks only loses its joiners.
    """
    text = _LINE_ENDS.sub("\n", _INVISIBLE.sub("", text))
    return text.replace("\u200c", "").replace("\u200d", "") if _JOINERS_ALONE.fullmatch(text) else text


def item_text(html: str | None) -> str | None:
    """The text of a Hacker News item or comment: separate paragraphs, links as addresses, code unchanged.

    None for an empty text; text that cannot be parsed as HTML is returned cleaned.
    """
    if not html or not html.strip():
        return None
    try:
        root = lxml.html.fragment_fromstring(clean(html), create_parent="div")
    except (lxml.etree.LxmlError, ValueError):
        return clean(html).strip() or None
    parts: list[str] = []
    _walk(root, parts)
    # libxml2 drops elements nested deeper than 256; the fallback is the text with its tags removed.
    text = "".join(parts) if "".join(parts).strip() else replace_entities(remove_tags(clean(html)))
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"(?<![ \t])[ \t]+\n", "\n", text)).strip() or None


def _walk(root: lxml.html.HtmlElement, parts: list[str]) -> None:
    """Append text in document order; iterative, because hostile HTML nests deeper than Python's recursion limit."""
    for event, node in lxml.etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event == "start":
            parts.append(_BLOCKS.get(node.tag, ""))
            # Hacker News shortens the text of a long link ("https://example.com/some..."), not its address.
            shown, href = node.text or "", node.get("href") if node.tag == "a" else None
            parts.append(href if href and shown.endswith("...") and href.startswith(shown[:-3]) else shown)
            continue
        if event == "end" and node.tag == "pre":
            parts.append("\n\n")
        if node is not root:
            parts.append(node.tail or "")


def article(html: str, url: str) -> Extracted:
    """The main text and metadata of a page; ``text`` is None if there is no article.

    Never raises, whatever the page contains. ``bench/articles.py`` measures the quality.
    """
    html = clean(html)
    extraction = _extraction(html, url, favor_precision=True)  # without bylines and navigation
    if not extraction.get("text") and len(html) > _LEAST:
        extraction = _extraction(html, url, favor_precision=False)
        if len(extraction.get("text") or "") < _LEAST:
            extraction["text"] = None
    return Extracted(
        text=_line(extraction.get("text"), keep_breaks=True),
        title=_line(extraction.get("title")),
        author=_line(extraction.get("author")),
        published_on=_date(extraction.get("date")),
        language=_language(extraction.get("language"), html),
    )


def plain(text: str) -> Extracted:
    """Clean the text of a plain-text page."""
    return Extracted(clean(text).strip() or None)


def _extraction(html: str, url: str, favor_precision: bool) -> dict[str, Any]:
    import trafilatura  # takes 0.3 s: imported only where pages are read

    try:
        document = trafilatura.bare_extraction(
            tree,
            url=url,
            include_comments=False,
            include_tables=True,
            deduplicate=False,
            favor_precision=favor_precision,
        )
    except Exception:  # trafilatura lets all kinds of parser errors through; each means no text
        return {}
    if document is None:
        return {}
    return dict(document) if isinstance(document, dict) else document.as_dict()


def _paragraph_characters(tree: Any) -> int:
    """Characters within the paragraphs of the page."""
    return sum(len("".join(paragraph.itertext()).strip()) for paragraph in tree.iter("p"))


def _line(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    text = clean(value)
    return (text if keep_breaks else " ".join(text.split())).strip() or None


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _language(detected: Any, html: str) -> str | None:
    declared = re.search(r"<html[^>]{0,500}?\blang\s*=\s*[\"']?([A-Za-z]{2})\b", html[:5000], re.IGNORECASE)
    code = str(detected or (declared.group(1) if declared else "")).strip().lower()[:2]
    return code if re.fullmatch(r"[a-z]{2}", code) else None
