"""Finds the terms of a vocabulary, of a word or more, in a list of words: the longest first, without overlaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, TypeVar

Meaning = TypeVar("Meaning")


class Phrases(Generic[Meaning]):
    """A vocabulary of terms, words separated by a blank, each with its meaning."""

    def __init__(self, terms: Mapping[str, Meaning]) -> None:
        self._terms = dict(terms)
        self._longest: dict[str, int] = {}
        for term in self._terms:
            first, length = term.split(" ", 1)[0], term.count(" ") + 1
            self._longest[first] = max(length, self._longest.get(first, 0))

    def __contains__(self, term: str) -> bool:
        return term in self._terms

    def at(self, words: Sequence[str], position: int) -> tuple[str, int] | None:
        """Return the longest term that starts at *position*, and its length in words; None without a term."""
        for length in range(self._longest.get(words[position], 0), 0, -1):
            term = " ".join(words[position : position + length]) if length > 1 else words[position]
            if term in self._terms:
                return term, length
        return None

    def meaning(self, term: str) -> Meaning:
        return self._terms[term]

    def find(self, words: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Yield the position and the text of every term of *words*."""
        position = 0
        while position < len(words):
            if match := self.at(words, position):
                yield position, match[0]
                position += match[1]
            else:
                position += 1
