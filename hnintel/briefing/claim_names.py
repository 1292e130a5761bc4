"""The names and numbers in a claim, which some cited story has to have; known by how they are written.

Nothing here knows a language: a name that is written like any other word is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hnintel.engines.offline.text import folded, stopwords

#: Words that begin with the same letters, so many, are forms of one word: adopts, adopting, adoption.
STEM = 5
#: Letters or a number; ``GPT-5`` is two, as is ``1.5B``.
_ATOM = re.compile(r"\d+(?:\.\d+)*|[^\W\d_]+(?:['’]s\b)?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_INNER_CAPITAL = re.compile(r"[^\W\d_][A-Z]")
#: What a capital says nothing behind: an opening mark, or the end of a sentence, a colon, a dash, and then a space.
_OPENS, _ENDS, _CLOSES = '"“‘([/•*', ".!?…:;—–\n", "'\"”’)"
_BEFORE = 4
#: Words that Hacker News puts around titles.
_OF_TITLES = frozenset(("show", "ask", "tell", "launch", "hacker", "news", "hn", "yc"))
#: A line with this share of its longer words in capitals is a headline, whose capitals mark no names.
_HEADLINE_SHARE, _LONGER = 0.6, 4


def atoms(text: str) -> frozenset[str]:
    """The stems of all words of *text*, and its numbers as they are written, without commas."""
    return frozenset(_key(found[0]) for found in _ATOM.finditer(_THOUSANDS.sub("", text)))


def numbers(text: str) -> frozenset[str]:
    """The numbers of *text* as they are written, without commas."""
    return frozenset(key for key in atoms(text) if key[0].isdecimal())


def names(text: str, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """The stems of the words of *text* that are written as names, and of those that are in *known* (stems).

    A capital, or a script without capitals, makes a word a name; at the beginning of a sentence, where any word has
    one, it takes a second capital.
    """
    found: set[str] = set()
    for match in _ATOM.finditer(text):
        word = match[0]
        if len(word) < 2 or word[0].isdecimal() or _is_common(word):
            continue
        begins = _begins_behind(text[max(0, match.start() - _BEFORE) : match.start()])
        is_written_so = bool(_INNER_CAPITAL.search(word)) or not (begins or word[0].islower())
        if is_written_so or _key(word) in known:
            found.add(_key(word))
    return frozenset(found)


def _begins_behind(before: str) -> bool:
    """Whether a word begins a sentence, a title or a quotation, by the few characters *before* it."""
    said = before.rstrip()
    if not said or said[-1] in _OPENS:
        return True
    gap = before[len(said) :]
    if said[-1] in _CLOSES:
        said = said[:-1]
    return bool(gap) and (said[-1:] in tuple(_ENDS) or "\n" in gap[:-1])


def names_of_stories(texts: Iterable[str]) -> frozenset[str]:
    """The stems of names that *texts* are sure of: with two capitals, or never in small letters.

    A headline, most of whose words have a capital, makes no name of any of them.
    """
    sure: set[str] = set()
    small: set[str] = set()
    for line in (line for text in texts for line in text.split("\n")):
        small.update(_key(match[0]) for match in _ATOM.finditer(line) if match[0][0].islower())
        if not _is_headline(line):
            sure |= names(line)
    return frozenset(sure - small)


def _is_headline(line: str) -> bool:
    longer = [match[0] for match in _ATOM.finditer(line) if len(match[0]) >= _LONGER and match[0][0].isalpha()]
    return sum(word[0].isupper() for word in longer) > _HEADLINE_SHARE * len(longer)


def _is_common(word: str) -> bool:
    return folded(word) in stopwords() or folded(word) in _OF_TITLES


def _key(word: str) -> str:
    return word if word[0].isdecimal() else folded(word)[:STEM]
