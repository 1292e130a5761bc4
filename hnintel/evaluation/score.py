"""Scores: how well answers agree with labels. A bad answer is wrong, and is also counted separately."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hnintel.enrich.declaration import Column
from hnintel.evaluation.ask import Given
from hnintel.evaluation.sets import Example

#: The name of a bad answer in a confusion matrix.
BAD = "(bad)"
#: The name of a null answer in a confusion matrix, where a column allows null.
NONE = "(none)"


@dataclass(frozen=True, slots=True)
class F1:
    """Precision, recall and their harmonic mean, 0 to 1 (0 for a division by zero); ``support`` counts labels."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class LabelScore:
    """A column with ``one_of``.

    ``macro_f1`` is the mean over the labels that the set has; another label counts only where an answer gives it.
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
    """A column of names, scored over all names (micro); ``accuracy`` is the share of texts with the right names."""

    rows: int
    accuracy: float
    names: F1


@dataclass(frozen=True, slots=True)
class Scored:
    """The score of a column, and whether each row is right; None for a row without a label of this column."""

    score: LabelScore | NameScore
    right: tuple[bool | None, ...]


def score(column: Column, examples: Sequence[Example], given: Sequence[Given]) -> Scored:
    """Score the answers *given* to *examples*, which are in the same order."""
    labelled = [
        (example, answer) for example, answer in zip(examples, given, strict=True) if column.name in example.expected
    ]
    rights, counted = _score_labels(column, labelled) if column.one_of else _score_names(column.name, labelled)
    next_right = iter(rights)
    return Scored(counted, tuple(next(next_right) if column.name in example.expected else None for example in examples))


def _score_labels(column: Column, labelled: list[tuple[Example, Given]]) -> tuple[list[bool], LabelScore]:
    # Imported here, since the import takes a second, for which commands without scores should not wait.
    from sklearn.metrics import precision_recall_fscore_support

    expected = [str(example.expected[column.name] or NONE) for example, _ in labelled]
    answered = [BAD if answer.bad_because else str(answer.values[column.name] or NONE) for _, answer in labelled]
    present = [label for label in [*column.one_of, NONE] if label in expected]
    labels = [label for label in [*column.one_of, NONE, BAD] if label in expected or label in answered]
    measures = precision_recall_fscore_support(expected, answered, labels=present, zero_division=0)
    classes = {
        label: F1(float(precision), float(recall), float(f1), int(support))
        for label, precision, recall, f1, support in zip(present, *measures, strict=True)
    }
    rights = [
        expected_label == answered_label for expected_label, answered_label in zip(expected, answered, strict=True)
    ]
    counts = Counter(zip(expected, answered, strict=True))
    return rights, LabelScore(
        rows=len(rights),
        accuracy=sum(rights) / len(rights),
        macro_f1=sum(label_score.f1 for label_score in classes.values()) / len(classes),
        classes=classes,
        labels=tuple(labels),
        confusion=tuple(
            tuple(counts[expected_label, answered_label] for answered_label in labels) for expected_label in labels
        ),
    )


def _score_names(name: str, labelled: list[tuple[Example, Given]]) -> tuple[list[bool], NameScore]:
    rights, hits, answered_count, known = [], 0, 0, 0
    for example, answer in labelled:
        expected = _folded(example.expected[name] or ())
        answered = set() if answer.bad_because else _folded(answer.values[name] or ())
        answered -= _folded(example.aside) - expected
        rights.append(answer.bad_because is None and answered == expected)
        hits, answered_count, known = (
            hits + len(answered & expected),
            answered_count + len(answered),
            known + len(expected),
        )
    names = F1(_share(hits, answered_count), _share(hits, known), _share(2 * hits, answered_count + known), known)
    return rights, NameScore(len(rights), sum(rights) / len(rights), names)


def _folded(names: Sequence[str]) -> set[str]:
    return {" ".join(name.casefold().split()) for name in names}


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
