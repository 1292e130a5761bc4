"""Splits a text into title and body, paragraphs, sentences and words, in linear time for any text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from hnintel.engines.offline import lexicon

#: The most characters of a text that any method reads.
READ_AT_MOST = 30_000
_TITLE_AT_MOST = 300
_HEADLINE_AT_MOST = 100
_SENTENCE_AT_MOST = 600
_LONGEST_ABBREVIATION = 12

#: Invisible characters: controls, soft hyphens, zero-width and direction marks, private use, lone surrogates.
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\uf8ff]")
_BLANKS = re.compile(r"[^\S\n]+")
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c]")
_PARAGRAPH_ENDS = re.compile(r"\n[^\S\n]*\n\s*")
WORD = re.compile(r"[^\W_][\w+#'’.-]*")
_SENTENCE_ENDS = re.compile(r"[.!?…]{1,3}[\"'”’)\]]{0,2}(?=\s+[\"'“‘(\[]?[A-Z0-9À-Þ$€£])")
_LAST_WORD = re.compile(r"(?<!\S)(\S+)$")
_INITIAL = re.compile(r"[\"'“(]?[A-Z]\.$")
#: Words of direct speech, which headlines do not have.
_SAID_TO_SOMEONE = re.compile(r"\b(?:you|your|i'm|i am|i have|this|that|it|it's|me|@\w+)\b|@", re.IGNORECASE)
#: The marks that Hacker News adds to titles, which are not part of their content.
_TITLE_MARK = re.compile(r"(?<!\s)\s*[\[(](?:pdf|video|audio|slides|\d{4}|YC [SWFX]\d{2})[\])]\s*$", re.IGNORECASE)


def clean(text: str) -> str:
    """Return *text* with uniform blanks and line ends, without control characters, cut to ``READ_AT_MOST``."""
    text = _LINE_ENDS.sub("\n", text[:READ_AT_MOST])
    return _BLANKS.sub(" ", _UNSEEN.sub("", text)).strip()


@dataclass(frozen=True, slots=True)
class Document:
    """A text as a title (its first paragraph, where that is short) and a body (the rest, possibly empty)."""

    title: str
    body: str

    @classmethod
    def of(cls, text: str) -> Document:
        cleaned = clean(text)
        first, _, rest = cleaned.partition("\n\n")
        if len(first) > _TITLE_AT_MOST or "\n" in first:
            return cls("", cleaned)
        return cls(first.strip(), rest.strip())


def looks_like_headline(text: str) -> bool:
    """Return whether *text* is a short line without an end mark, as titles are and remarks are not."""
    text = text.strip()
    in_form = len(text) <= _HEADLINE_AT_MOST and "\n" not in text and text[-1:].isalnum() and text[:1].isupper()
    return in_form and not _SAID_TO_SOMEONE.search(text)


def without_marks(title: str) -> str:
    """Return *title* without ``[pdf]``, ``(2019)`` and similar marks at its end."""
    previous = None
    while previous != title:
        previous, title = title, _TITLE_MARK.sub("", title)
    return title.strip()


def words(text: str) -> list[str]:
    """Return the words of *text* as written; ``C++``, ``node.js`` and ``can't`` each count as a word."""
    return [word.rstrip(".'’-") for word in WORD.findall(text)]


def paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in _PARAGRAPH_ENDS.split(text) if part.strip()]


def sentences(text: str) -> list[str]:
    """Return the sentences of *text*; the end of a line or a paragraph ends a sentence too."""
    listed: list[str] = []
    for line in text.split("\n"):
        listed.extend(_line_sentences(line.strip()))
    return listed


def _line_sentences(line: str) -> list[str]:
    listed, start = [], 0
    for end in _SENTENCE_ENDS.finditer(line):
        if _ends_in_abbreviation(line[start : end.end()]):
            continue
        listed.append(line[start : end.end()].strip())
        start = end.end()
    listed.append(line[start:].strip())
    return [sentence for sentence in listed if sentence and len(sentence) <= _SENTENCE_AT_MOST]


def _ends_in_abbreviation(sentence: str) -> bool:
    last = _LAST_WORD.search(sentence[-_LONGEST_ABBREVIATION:])
    return last is not None and (last[1].lower() in _abbreviations() or bool(_INITIAL.match(last[1])))


@cache
def _abbreviations() -> frozenset[str]:
    return lexicon.terms("abbreviations.txt")


@cache
def stopwords() -> frozenset[str]:
    """Return words that are too common to characterize a text."""
    return lexicon.terms("stopwords.txt")


@lru_cache(maxsize=65_536)
def folded(word: str) -> str:
    """Return *word* without case, possessive or plural, so that spellings of the same word compare equal."""
    word = word.lower().replace("’", "'").removesuffix("'s").strip("'-.")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("xes", "ches", "shes", "sses")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is", "os")):
        return word[:-1]
    return word


def folded_words(text: str) -> list[str]:
    return [word for word in map(folded, WORD.findall(text)) if word]
