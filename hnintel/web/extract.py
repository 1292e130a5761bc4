"""HTML to text and metadata: articles (trafilatura) and the small HTML of Hacker News itself. Pure; no network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import lxml.etree
import lxml.html
from w3lib.html import remove_tags, replace_entities

#: Characters below which text that only the lenient reading finds is no article but what surrounds one.
_LEAST = 250
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
    """What a page holds; ``text`` is None where no article was found."""

    text: str | None
    title: str | None = None
    author: str | None = None
    published_on: date | None = None
    language: str | None = None


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

    Never raises for anything a page can hold. How good it is: ``bench/articles.py``.
    """
    html = clean(html)
    found = _found(html, url, favor_precision=True)  # without bylines, navigation and "please enable JavaScript"
    if not found.get("text") and len(html) > _LEAST:
        found = _found(html, url, favor_precision=False)
        if len(found.get("text") or "") < _LEAST:
            found["text"] = None
    return Extracted(
        text=_line(found.get("text"), keep_breaks=True),
        title=_line(found.get("title")),
        author=_line(found.get("author")),
        published_on=_date(found.get("date")),
        language=_language(found.get("language"), html),
    )


def plain(text: str) -> Extracted:
    """A page that is plain text already: its text as it stands."""
    return Extracted(clean(text).strip() or None)


def _found(html: str, url: str, favor_precision: bool) -> dict[str, Any]:
    import trafilatura  # 0.3 s: only where pages are read

    try:
        document = trafilatura.bare_extraction(
            html,
            url=url,
            with_metadata=True,
            include_comments=False,
            include_tables=True,
            deduplicate=False,
            favor_precision=favor_precision,
        )
    except Exception:  # trafilatura lets parser errors of all kinds through; to us a page without text is one outcome
        return {}
    if document is None:
        return {}
    return dict(document) if isinstance(document, dict) else document.as_dict()


def _line(value: Any, keep_breaks: bool = False) -> str | None:
    if not isinstance(value, str):
        return None
    text = clean(value)
    return (text if keep_breaks else " ".join(text.split())).strip() or None


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _language(found: Any, html: str) -> str | None:
    declared = re.search(r"<html[^>]{0,500}?\blang\s*=\s*[\"']?([A-Za-z]{2})\b", html[:5000], re.IGNORECASE)
    code = str(found or (declared.group(1) if declared else "")).strip().lower()[:2]
    return code if re.fullmatch(r"[a-z]{2}", code) else None
