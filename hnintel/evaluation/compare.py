"""Compare two results: which columns a change improved, and which it made worse."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from hnintel.evaluation.result import Result
from hnintel.evaluation.score import LabelScore, NameScore


@dataclass(frozen=True, slots=True)
class Change:
    """A column of a set, before and now.

    Args:
        accuracy: before and now, over the shared rows.
        f1: before and now; None where the results have different rows and cannot be compared.
        classes: label → F1 before and now, 0 where a result lacks the label; a column of names has a single F1, under
            ``names``; empty where ``f1`` is None.
        to_right: rows that were wrong and are right.
        to_wrong: rows that were right and are wrong.
        shared: rows that both results have; only these are compared row by row.
        rows: the number of rows, before and now.
        model: before and now.
        cost: before and now.
    """

    set: str
    enrichment: str
    column: str
    accuracy: tuple[float, float]
    f1: tuple[float, float] | None
    classes: dict[str, tuple[float, float]]
    to_right: int
    to_wrong: int
    shared: int
    rows: tuple[int, int]
    model: tuple[str, str]
    cost: tuple[float, float]


def compare(before: Iterable[Result], now: Iterable[Result]) -> list[Change]:
    """Return a change for every column that both score and that has shared rows, in the order of *now*."""
    earlier = {(result_before.set, result_before.enrichment): result_before for result_before in before}
    changes = []
    for result in now:
        old = earlier.get((result.set, result.enrichment))
        if old is not None:
            shared = [column for column in result.columns if old.right.get(column, {}).keys() & result.right[column]]
            changes += [_change(old, result, column) for column in shared]
    return changes


def _change(old: Result, new: Result, column: str) -> Change:
    before, after = old.columns[column], new.columns[column]
    of_old, of_new = _by_class(before), _by_class(after)
    was, is_ = old.right[column], new.right[column]
    shared = was.keys() & is_.keys()
    alike = was.keys() == is_.keys()
    labels = dict.fromkeys([*of_old, *of_new]) if alike else {}
    return Change(
        set=new.set,
        enrichment=new.enrichment,
        column=column,
        accuracy=(_share_right(was, shared), _share_right(is_, shared)),
        f1=(headline_f1(before), headline_f1(after)) if alike else None,
        classes={name: (of_old.get(name, 0.0), of_new.get(name, 0.0)) for name in labels},
        to_right=sum(is_[key] and not was[key] for key in shared),
        to_wrong=sum(was[key] and not is_[key] for key in shared),
        shared=len(shared),
        rows=(before.rows, after.rows),
        model=(old.model, new.model),
        cost=(old.cost, new.cost),
    )


def _share_right(right: Mapping[str, bool], keys: Collection[str]) -> float:
    return sum(right[key] for key in keys) / len(keys)


def headline_f1(score: LabelScore | NameScore) -> float:
    """Return the main figure of a column: macro-F1 of labels, micro-F1 of names."""
    return score.macro_f1 if isinstance(score, LabelScore) else score.names.f1


def _by_class(score: LabelScore | NameScore) -> dict[str, float]:
    if isinstance(score, NameScore):
        return {"names": score.names.f1}
    return {label: class_score.f1 for label, class_score in score.classes.items()}
