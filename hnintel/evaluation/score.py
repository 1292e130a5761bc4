"""Scores: how far given answers agree with labels. An answer that breaks its promise is wrong, and counted apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hnintel.enrich.declaration import Column
from hnintel.evaluation.ask import Given
from hnintel.evaluation.sets import Example

#: What stands in a confusion matrix for an answer that could not be taken.
BAD = "(bad)"
#: The same for an answer that says that there is no value, where a column allows it.
NONE = "(none)"


@dataclass(frozen=True, slots=True)
class F1:
    """Precision, recall and their harmonic mean, 0 to 1 (0 where nothing is to divide); ``support`` counts labels."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class LabelScore:
    """A column with ``one_of``.

    ``macro_f1`` is the mean over the labels that the set has; a label it lacks costs only where it is answered wrongly.
    ``confusion[row][column]`` counts what is ``labels[row]`` and was answered ``labels[column]``.
    """

    rows: int
    accuracy: float
    macro_f1: float
    classes: dict[str, F1]
    labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class NameScore:
    """A column of names, over all of them (micro); ``accuracy`` is the share of texts whose names are exactly right."""

    rows: int
    accuracy: float
    names: F1


@dataclass(frozen=True, slots=True)
class Scored:
    """One column's score, and row by row whether it is right; None where the row has no label for it."""

    score: LabelScore | NameScore
    right: tuple[bool | None, ...]


def score(column: Column, examples: Sequence[Example], given: Sequence[Given]) -> Scored:
    """How far *given* agrees with *examples*, which it answers one by one."""
    labelled = [(one, answer) for one, answer in zip(examples, given, strict=True) if column.name in one.expected]
    rights, counted = _score_labels(column, labelled) if column.one_of else _score_names(column.name, labelled)
    told = iter(rights)
    return Scored(counted, tuple(next(told) if column.name in one.expected else None for one in examples))


def _score_labels(column: Column, labelled: list[tuple[Example, Given]]) -> tuple[list[bool], LabelScore]:
    # Imported here: it takes a second, and commands that judge nothing should not wait for it.
    from sklearn.metrics import precision_recall_fscore_support

    expected = [str(one.expected[column.name] or NONE) for one, _ in labelled]
    answered = [BAD if answer.bad_because else str(answer.values[column.name] or NONE) for _, answer in labelled]
    there = [label for label in [*column.one_of, NONE] if label in expected]
    labels = [label for label in [*column.one_of, NONE, BAD] if label in expected or label in answered]
    measures = precision_recall_fscore_support(expected, answered, labels=there, zero_division=0)
    classes = {
        label: F1(float(precision), float(recall), float(f1), int(support))
        for label, precision, recall, f1, support in zip(there, *measures, strict=True)
    }
    rights = [said == told for said, told in zip(expected, answered, strict=True)]
    counts = Counter(zip(expected, answered, strict=True))
    return rights, LabelScore(
        rows=len(rights),
        accuracy=sum(rights) / len(rights),
        macro_f1=sum(one.f1 for one in classes.values()) / len(classes),
        classes=classes,
        labels=tuple(labels),
        confusion=tuple(tuple(counts[said, told] for told in labels) for said in labels),
    )


def _score_names(name: str, labelled: list[tuple[Example, Given]]) -> tuple[list[bool], NameScore]:
    rights, hits, told, known = [], 0, 0, 0
    for example, answer in labelled:
        expected = _folded(example.expected[name] or ())
        found = set() if answer.bad_because else _folded(answer.values[name] or ())
        found -= _folded(example.aside) - expected
        rights.append(answer.bad_because is None and found == expected)
        hits, told, known = hits + len(found & expected), told + len(found), known + len(expected)
    names = F1(_share(hits, told), _share(hits, known), _share(2 * hits, told + known), known)
    return rights, NameScore(len(rights), sum(rights) / len(rights), names)


def _folded(names: Sequence[str]) -> set[str]:
    return {" ".join(name.casefold().split()) for name in names}


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
