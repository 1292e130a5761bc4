"""Reads the engine's word lists: text files beside this module, one group of terms a line."""

from __future__ import annotations

from functools import cache
from importlib import resources


def _lines(name: str) -> list[str]:
    text = resources.files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    return [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]


@cache
def groups(name: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The groups of *name*, in the file's order: ``head | term, term`` a line, lines with the same head kept apart."""
    found = []
    for line in _lines(name):
        head, _, terms = line.partition(" | ")
        found.append((head.strip(), tuple(term.strip() for term in terms.split(", ") if term.strip())))
    return tuple(found)


@cache
def valences(name: str) -> dict[str, float]:
    """Term to valence, where the head of each group is the valence; a term named twice keeps the last."""
    return {term: float(head) for head, terms in groups(name) for term in terms}


@cache
def terms(name: str) -> frozenset[str]:
    """Every term of a list without groups: one or more a line, separated by commas."""
    return frozenset(term.strip() for line in _lines(name) for term in line.split(", ") if term.strip())
