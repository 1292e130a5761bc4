"""Hostile text made harmless: what may be shown, what may be linked, and what Markdown may be made of."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, urlsplit

#: Zero-width joiners: invisible, but Persian, Indic scripts and emoji are misspelt without them.
_JOINERS = frozenset("\u200c\u200d")

#: Shown as nothing at all, though Unicode calls them letters, marks or symbols.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {chr(c) for c in range(0xE0100, 0xE01F0)}

#: Format characters that are visible (Arabic and Kaithi number signs), so they stay.
_VISIBLE_FORMAT = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")

#: More marks than any script stacks on one letter; beyond it, they only smear over the lines above and below.
_MOST_MARKS = 4

_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_HOST = re.compile(r"(?:[a-z0-9_-]+\.)*[a-z0-9_-]+\.?|\[[0-9a-f:.]+\]", re.IGNORECASE)
_KEPT_IN_URL = "/:?#@!$&*+,;=%~-._"


def clean(text: str) -> str:
    """*text* on one line, without bidi controls, other invisible characters and piles of combining marks."""
    kept: list[str] = []
    marks = 0
    for char in text:
        if char.isspace():
            kept.append(" ")
        elif _is_mark(char):
            marks += 1
            if marks <= _MOST_MARKS:
                kept.append(char)
            continue
        elif _is_visible(char):
            kept.append(char)
        else:
            continue
        marks = 0
    line = " ".join("".join(kept).split())
    return line if line.strip("\u200c\u200d ") else ""


def _is_mark(char: str) -> bool:
    return char not in _BLANKS and (char in _JOINERS or unicodedata.category(char) in ("Mn", "Me"))


def _is_visible(char: str) -> bool:
    if char in _BLANKS:
        return False
    return char in _VISIBLE_FORMAT or unicodedata.category(char) not in _DROPPED_CATEGORIES


def clip(text: str, limit: int) -> str:
    """*text*, clean and at most *limit* characters long: cut at a word where there is one, and marked as cut."""
    line = clean(text)
    if len(line) <= limit:
        return line
    head = line[: limit - 1]
    at_word = head.rpartition(" ")[0]
    # A word longer than a third of the room has no useful end to wait for.
    return (at_word if len(at_word) > limit * 2 // 3 else head).rstrip(" ,;:.–—-") + "…"


def safe_url(url: str | None) -> str | None:
    """*url* as plain ASCII that is safe in an attribute and in Markdown, or None if it must not become a link.

    Only http and https with a plain host pass. Credentials are refused, because ``https://bank.example@evil.example``
    leads elsewhere than it reads; a host outside ASCII becomes punycode, because look-alike letters do the same.
    """
    if not url or clean(url) != url or " " in url:
        return None
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode("ascii"), parts.port
    except ValueError:  # UnicodeError is one: a host that IDNA cannot spell
        return None
    if ":" in host:
        host = f"[{host}]"
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not _HOST.fullmatch(host):
        return None
    rest = parts._replace(scheme="", netloc="").geturl()
    if rest and rest[0] not in "/?#":
        return None
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{quote(rest, safe=_KEPT_IN_URL)}"


class Markdown(str):
    """Text that is Markdown already; any other text is escaped before it is written."""

    __slots__ = ()


#: What can start or end something anywhere in a line, in CommonMark and in GitHub's dialect (mentions, maths, tables).
_ANYWHERE = re.compile(r"[\\`*_{}\[\]()<>#!|~&@$^]")
#: What would turn bare text into a link: ``https://x``, ``mailto:x``, ``www.x``, ``x.example``.
_IN_ADDRESSES = re.compile(r"(?<=\w)\.(?=[^\W\d])|:(?=[^\s\d])|(?<=:)/|(?<=/)/")
#: What makes a block of a line's start: a list, a rule, an underlined heading.
_AT_START = re.compile(r"^(?:[-+=:]|\d{1,9}(?=\.))")


def escape_markdown(text: str) -> Markdown:
    """*text* as Markdown that reads as itself: no link, image, HTML, heading, list or table comes out of it."""
    escaped = _ANYWHERE.sub(lambda match: f"\\{match[0]}", clean(text))
    escaped = _IN_ADDRESSES.sub(lambda match: f"\\{match[0]}", escaped)
    return Markdown(_AT_START.sub(_escape_start, escaped))


def _escape_start(match: re.Match[str]) -> str:
    """A list's number is disarmed at the dot behind it; anything else that opens a block, at itself."""
    return f"{match[0]}\\" if match[0].isdigit() else f"\\{match[0]}"


def markdown_link(text: str, url: str | None) -> Markdown:
    """A link of escaped *text*, or the text alone where *url* must not become one."""
    target = safe_url(url)
    label = escape_markdown(text)
    return Markdown(f"[{label}](<{target}>)") if target else label
