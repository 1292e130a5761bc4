"""Formats results as lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hnintel.evaluation.compare import Change, headline_f1
from hnintel.evaluation.result import Result
from hnintel.evaluation.score import F1, LabelScore, NameScore


def summary(results: Sequence[Result]) -> list[str]:
    """Return a table with a row for each column; F1 is the macro-F1 of labels and the micro-F1 of names."""
    head = ["set", "column", "model", "rows", "accuracy", "F1", "bad answers", "tokens in", "out", "cost"]
    rows = [
        [
            result.set,
            _named(result.enrichment, column),
            result.model,
            f"{score.rows}",
            f"{score.accuracy:.3f}",
            f"{headline_f1(score):.3f}",
            f"{result.bad_answers}",
            f"{result.input_tokens}",
            f"{result.output_tokens}",
            _cost(result.cost, result.currency),
        ]
        for result in results
        for column, score in result.columns.items()
    ]
    return [
        f"engine {', '.join(dict.fromkeys(engine_result.engine for engine_result in results))}",
        *_table([head, *rows], left=3),
    ]


def details(result: Result) -> list[str]:
    """Return precision, recall and F1 by label, the confusion matrix, and the reasons for bad answers."""
    lines = []
    for column, score in result.columns.items():
        title = f"{result.set}: {_named(result.enrichment, column)}"
        if isinstance(score, LabelScore):
            lines += ["", title, *_classes(score.classes), "", *_confusion(score)]
    names = {column: score.names for column, score in result.columns.items() if isinstance(score, NameScore)}
    if names:
        lines += ["", f"{result.set}: {result.enrichment}", *_classes(names)]
    if result.bad_reasons:
        lines += ["", "bad answers", *(f"  {count} x {reason}" for reason, count in result.bad_reasons.items())]
    return lines


def planned(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a table of the questions that would be asked."""
    head = ["set", "enrichment", "model", "rows", "tokens in", "out", "cost"]
    cells = [
        [
            *(row["set"], row["enrichment"], row["model"]),
            *(str(row[name]) for name in ("rows", "input_tokens", "output_tokens")),
            _cost(row["cost"], row["currency"]),
        ]
        for row in rows
    ]
    return [*_table([head, *cells], left=3), "nothing was asked; tokens and cost are estimates"]


def changes(compared: Sequence[Change]) -> list[str]:
    """Return the changes since the earlier results, by column and label."""
    lines = []
    for change in compared:
        models = "" if change.model[0] == change.model[1] else f" ({change.model[0]} → {change.model[1]})"
        lines += [
            "",
            f"changed: {change.set}: {_named(change.enrichment, change.column)}{models}",
            f"  wrong to right {change.to_right}, right to wrong {change.to_wrong}, "
            f"of {change.shared} rows that both have (before {change.rows[0]}, now {change.rows[1]})",
        ]
        measures = {"accuracy": change.accuracy} | ({"F1": change.f1} if change.f1 else {})
        measures |= {f"F1 {name}": pair for name, pair in change.classes.items()}
        rows = [[name, f"{old:.3f}", f"{new:.3f}", f"{new - old:+.3f}"] for name, (old, new) in measures.items()]
        lines += _table([["", "before", "now", "change"], *rows], left=1)
    return lines


def _named(enrichment: str, column: str) -> str:
    return column if column == enrichment else f"{enrichment}.{column}"


def _cost(cost: float, currency: str) -> str:
    return f"{cost:.4g} {currency}"


def _classes(classes: Mapping[str, F1]) -> list[str]:
    rows = [
        [
            name,
            f"{class_score.precision:.3f}",
            f"{class_score.recall:.3f}",
            f"{class_score.f1:.3f}",
            str(class_score.support),
        ]
        for name, class_score in classes.items()
    ]
    return _table([["", "precision", "recall", "F1", "support"], *rows], left=1)


def _confusion(score: LabelScore) -> list[str]:
    """Return a matrix with labels as rows and answers as columns; rows without a text are left out."""
    rows = [
        [name, *(str(count or ".") for count in counts)]
        for name, counts in zip(score.labels, score.confusion, strict=True)
        if any(counts)
    ]
    return _table([["label \\ answer", *score.labels], *rows], left=1)


def _table(rows: Sequence[Sequence[str]], left: int) -> list[str]:
    """Return aligned rows; the first *left* columns are aligned left, the others, which are figures, right."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
