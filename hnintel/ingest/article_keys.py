"""Gives the addresses of an article one key, where what was read supports it.

Evidence is a permanent redirect, ``rel=canonical``, and the texts themselves. A page never gets the key of another page
by its own word alone (docs/decisions/0031-one-article-one-key.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hnintel.hashes import hash_of_text
from hnintel.http.variants import is_above, is_root, variant
from hnintel.warehouse.base import Session, Staged
from hnintel.warehouse.statements import statement

#: Characters below which two texts may be equal by chance: a notice, an empty frame.
_LEAST_TEXT = 250
#: Stored articles with the very same text that are looked at, the oldest: more is what sites show in place of a text.
_MOST_ALIKE = 20
#: Words of a run that texts are compared by, and the share of runs that one article's texts have in common.
_RUN, _SAME = 4, 0.8


@dataclass(frozen=True, slots=True)
class Reading:
    """An article that was read.

    Args:
        key: its canonical URL.
        text: its text.
        moved_to: where permanent redirects led, as a key, if the reading followed any.
        declared: the address that the page declares as its own (``rel=canonical``), as a key.
    """

    key: str
    text: str
    moved_to: str | None = None
    declared: str | None = None


def same_text(text: str, other: str) -> bool:
    """Whether two texts are those of one article: long enough, and the same but for a few words."""
    if min(len(text), len(other)) < _LEAST_TEXT:
        return False
    runs, others = _runs(text), _runs(other)
    return len(runs & others) >= _SAME * len(runs | others)


def claimed_key(reading: Reading) -> str | None:
    """The other key that *reading* has by what its site says, without a look at other pages; or None.

    A permanent redirect leads to the page that was read, so that its text is that of the other address; one to the
    first page of a host, or to a folder above, is how sites answer for pages that are gone. What a page declares counts
    where the address differs in its form alone.
    """
    moved = reading.moved_to
    if moved and moved != reading.key and (_is_form_of(moved, reading.key) or not _is_overview(moved, reading.key)):
        return moved
    declared = reading.declared
    return declared if declared and declared != reading.key and _is_form_of(declared, reading.key) else None


def is_same_article(one: Reading, other: Reading) -> bool:
    """Whether two pages that were read are one article: the same text, and an address or a declaration that says so."""
    is_named = variant(one.key, is_lenient=True) == variant(other.key, is_lenient=True) or _declares(one, other)
    return (is_named or _declares(other, one)) and same_text(one.text, other.text)


def _declares(one: Reading, other: Reading) -> bool:
    return one.declared == other.key


def _is_form_of(key: str, other: str) -> bool:
    return variant(key) == variant(other)


def _is_overview(key: str, other: str) -> bool:
    return is_root(key) or is_above(key, other)


def _runs(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    if len(words) < _RUN:  # a language without spaces
        return {tuple(text[place : place + _RUN]) for place in range(max(1, len(text) - _RUN + 1))}
    return {tuple(words[place : place + _RUN]) for place in range(len(words) - _RUN + 1)}


def merged_keys(session: Session, readings: Iterable[Reading]) -> dict[str, str]:
    """The keys that *readings* give up, each with the key that the article has instead; writes nothing."""
    # Of the addresses of one article that are read at once, a secure and short one stays.
    ordered = sorted(readings, key=lambda reading: (reading.key.startswith("https:"), -len(reading.key), reading.key))
    if not ordered:
        return {}
    resolved = _resolved(session, filter(None, map(claimed_key, ordered)))
    known = {reading.key: reading for reading in [*_similar(session, ordered), *ordered]}
    merged: dict[str, str] = {}
    for reading in ordered:
        given_up, target = _merged(reading, known, resolved | merged)
        if target != given_up:
            merged[given_up] = target
            known.setdefault(target, Reading(target, reading.text))
    return {key: _last(key, merged) for key in merged}


def stage_keys(session: Session, merged: Mapping[str, str], run_id: str, now: datetime) -> Staged:
    """Stage what :func:`settle_keys` writes; call it before the transaction writes a row."""
    rows = [
        {"alias": key, "canonical_url": target, "run_id": run_id, "loaded_at": now}
        for key, target in sorted(merged.items())
    ]
    return session.stage("raw.article_keys", rows)


def settle_keys(session: Session, staged: Staged) -> None:
    """Record the keys that were given up, and have their items follow the article; call it after articles are stored.

    A later item with such an address is joined to the article without reading the page.
    """
    if staged.rows:
        session.merge(statement("ingest/follow_keys", staged=staged.name))
        session.merge(statement("ingest/merge_keys", staged=staged.name))
        session.merge(statement("ingest/move_items", staged=staged.name))
        session.execute(
            f"DELETE FROM raw.articles WHERE canonical_url IN (SELECT alias FROM {staged.name})",
        )


def resolve_items(session: Session, staged: Staged) -> None:
    """Join items that were just loaded to the articles that their addresses are known to name."""
    if staged.rows:
        session.merge(statement("ingest/resolve_items", staged=staged.name))


def forget_keys(session: Session, urls: Sequence[str]) -> None:
    """Delete what is known of other addresses of articles that no item names."""
    if urls:
        session.execute(
            f"DELETE FROM raw.article_keys WHERE canonical_url IN ({_marks(urls)}) "
            "AND canonical_url NOT IN (SELECT canonical_url FROM raw.articles)",
            urls,
        )


def _merged(reading: Reading, known: Mapping[str, Reading], merged: Mapping[str, str]) -> tuple[str, str]:
    """The key that is given up for another, and the other; the key of *reading* twice where it keeps its own.

    Of two pages with the same text, it is the page that declares the other's address that gives up its own.
    """
    claimed = claimed_key(reading)
    if claimed:
        target = _last(claimed, merged)
        has_moved = claimed == reading.moved_to
        there = known.get(target)
        if there is None or has_moved or same_text(reading.text, there.text):
            return reading.key, target
    for other in known.values():
        if other.key != reading.key and other.key not in merged and is_same_article(reading, other):
            return (other.key, reading.key) if _declares(other, reading) else (reading.key, other.key)
    return reading.key, reading.key


def _last(key: str, merged: Mapping[str, str]) -> str:
    while key in merged:
        key = merged[key]
    return key


def _resolved(session: Session, keys: Iterable[str]) -> dict[str, str]:
    """The articles that some *keys* are known to be other addresses of, by key."""
    listed = sorted(set(keys))
    if not listed:
        return {}
    sql = f"SELECT alias, canonical_url FROM raw.article_keys WHERE alias IN ({_marks(listed)})"
    return {str(alias): str(key) for alias, key in session.execute(sql, listed)}


def _similar(session: Session, readings: Sequence[Reading]) -> list[Reading]:
    """Stored articles that may be one with a reading: by their key, by a declaration, or by the very same text."""
    keys = {reading.key for reading in readings}
    named = {url for reading in readings for url in (reading.declared, reading.moved_to) if url}
    hashes = {hash_of_text(reading.text) for reading in readings}
    lists = [sorted(keys | named), sorted(keys), sorted(hashes)]
    sql = statement("ingest/similar_articles", counts=[len(values) for values in lists], most=_MOST_ALIKE)
    found = [key for (key,) in session.execute(sql, [value for values in lists for value in values])]
    if not found:
        return []
    rows = session.execute(
        "SELECT canonical_url, text, declared_url FROM raw.articles WHERE text IS NOT NULL "
        f"AND canonical_url IN ({_marks(found)}) ORDER BY fetched_at, canonical_url",
        found,
    )
    return [Reading(key, text, declared=declared) for key, text, declared in rows]


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" for _ in values)
