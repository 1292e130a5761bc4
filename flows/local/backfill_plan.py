"""The plan of a backfill as text: a line a day, in 80 columns and in a pipe as in a terminal."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from hnintel.errors import counted
from hnintel.partitions.calendar import Span
from hnintel.planning.backfill import BackfillPlan, cost_of

_COLUMNS = 80
_HEADINGS = ("day", "fetches", "questions", "tokens", "cost", "estimated from")


_FIGURES = _HEADINGS[1:4]


def show(planned: BackfillPlan, span: Span) -> None:
    """Print the plan on stderr: consecutive days with the same stages to run for the same reason share a heading."""
    if not planned.works:
        print(f"{span.first} to {span.last}: nothing is left to be done ({planned.stages})", file=sys.stderr)
        return
    to_do = f"{counted(len(planned.works), 'day')} with something to be done"
    _print(f"{span.first} to {span.last}: {to_do} ({planned.stages})")
    for (stages, why), rows in groupby(planned.rows(), key=lambda row: (row["stages"], row["why"])):
        of_group = list(rows)
        what = planned.stages if stages == planned.every_stage else stages
        _print(f"{counted(len(of_group), 'day')}: {what}; {why}")
        print_rows([_cells(row) for row in of_group], _HEADINGS)
    total = planned.total
    tokens = counted(total.input_tokens + total.output_tokens, "token")
    fetches = counted(sum(planned.fetches.values()), "fetch", "fetches")
    unknown = f"; of {counted(len(planned.unknown), 'day')} nothing is known yet" if planned.unknown else ""
    _print(f"together: {fetches}, {counted(total.rows, 'question')}, {tokens}, {total.cost_in_words()}{unknown}")


def print_rows(rows: Sequence[Sequence[str]], headings: Sequence[str]) -> None:
    """Print rows on stderr in columns as wide as their widest cell; no cell is cut."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        cells = [
            cell.rjust(width) if name in _FIGURES else cell.ljust(width)
            for name, cell, width in zip(headings, row, widths, strict=True)
        ]
        print("  ".join(cells).rstrip(), file=sys.stderr)


def _cells(row: Mapping[str, Any]) -> list[str]:
    figures = [row["fetches"], row["questions"], row["tokens"], cost_of(row), row["estimated_from"]]
    return [row["day"], *("?" if figure is None else str(figure) for figure in figures)]


def _print(line: str) -> None:
    print(textwrap.fill(line, _COLUMNS, subsequent_indent="  ", break_on_hyphens=False), file=sys.stderr)
