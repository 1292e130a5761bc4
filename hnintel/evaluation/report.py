"""Results as lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hnintel.evaluation.compare import Change, headline_f1
from hnintel.evaluation.result import Result
from hnintel.evaluation.score import F1, LabelScore, NameScore


def summary(results: Sequence[Result]) -> list[str]:
    """A line a column: F1 is the macro-F1 of labels, and the micro-F1 of names."""
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
    return [f"engine {', '.join(dict.fromkeys(one.engine for one in results))}", *_table([head, *rows], left=3)]


def details(result: Result) -> list[str]:
    """Precision, recall and F1 by label, the confusion matrix, and why answers were bad."""
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
    """Describe the questions that would be asked."""
    head = ["set", "enrichment", "model", "rows", "tokens in", "out", "cost"]
    told = [
        [
            *(row["set"], row["enrichment"], row["model"]),
            *(str(row[name]) for name in ("rows", "input_tokens", "output_tokens")),
            _cost(row["cost"], row["currency"]),
        ]
        for row in rows
    ]
    return [*_table([head, *told], left=3), "nothing was asked; tokens and cost are estimates"]


def changes(found: Sequence[Change]) -> list[str]:
    """What is better and what is worse than before, by column and label."""
    lines = []
    for one in found:
        models = "" if one.model[0] == one.model[1] else f" ({one.model[0]} → {one.model[1]})"
        lines += [
            "",
            f"changed: {one.set}: {_named(one.enrichment, one.column)}{models}",
            f"  wrong to right {one.to_right}, right to wrong {one.to_wrong}, of {one.shared} rows that both have "
            f"(before {one.rows[0]}, now {one.rows[1]})",
        ]
        measures = {"accuracy": one.accuracy} | ({"F1": one.f1} if one.f1 else {})
        measures |= {f"F1 {name}": pair for name, pair in one.classes.items()}
        rows = [[name, f"{old:.3f}", f"{new:.3f}", f"{new - old:+.3f}"] for name, (old, new) in measures.items()]
        lines += _table([["", "before", "now", "change"], *rows], left=1)
    return lines


def _named(enrichment: str, column: str) -> str:
    return column if column == enrichment else f"{enrichment}.{column}"


def _cost(cost: float, currency: str) -> str:
    return f"{cost:.4g} {currency}"


def _classes(classes: Mapping[str, F1]) -> list[str]:
    rows = [
        [name, f"{one.precision:.3f}", f"{one.recall:.3f}", f"{one.f1:.3f}", str(one.support)]
        for name, one in classes.items()
    ]
    return _table([["", "precision", "recall", "F1", "support"], *rows], left=1)


def _confusion(score: LabelScore) -> list[str]:
    """Rows are what the label says, columns what was answered; a row that no label names is left out."""
    rows = [
        [name, *(str(count or ".") for count in counts)]
        for name, counts in zip(score.labels, score.confusion, strict=True)
        if any(counts)
    ]
    return _table([["label \\ answer", *score.labels], *rows], left=1)


def _table(rows: Sequence[Sequence[str]], left: int) -> list[str]:
    """Columns under each other, the first *left* of them to the left and the rest, figures, to the right."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
