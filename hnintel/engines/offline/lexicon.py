"""Reads the engine's word lists: text files beside this module, with a group of terms on each line."""

from __future__ import annotations

from functools import cache
from importlib import resources


def _lines(name: str) -> list[str]:
    text = resources.files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    return [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]


@cache
def groups(name: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the groups of *name* in the file's order, a group for each line ``head | term, term``."""
    listed = []
    for line in _lines(name):
        head, _, terms = line.partition(" | ")
        listed.append((head.strip(), tuple(term.strip() for term in terms.split(", ") if term.strip())))
    return tuple(listed)


@cache
def valences(name: str) -> dict[str, float]:
    """Return the valence of each term, which is the head of its group; the last entry of a term counts."""
    return {term: float(head) for head, terms in groups(name) for term in terms}


@cache
def terms(name: str) -> frozenset[str]:
    """Return every term of a list without groups, whose lines have terms separated by commas."""
    return frozenset(term.strip() for line in _lines(name) for term in line.split(", ") if term.strip())
