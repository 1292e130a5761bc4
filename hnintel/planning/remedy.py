"""Which command runs a due stage, in words: ``reconcile`` by itself, or a run that a person starts."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import date

from hnintel.partitions import graph
from hnintel.partitions.pipeline import Pipeline
from hnintel.partitions.settling import Due
from hnintel.settings import load_settings

#: For stages that ``reconcile`` runs, deployed or by hand.
RECONCILE = "python flows/reconcile.py{source} does it"
_BY_HAND = "{days} does it"
_NOBODY = "no command does it: it is before HNINTEL_FIRST_DAY"


def who_does(pipeline: Pipeline, by_itself: Sequence[Due], day: date, stage: str) -> str:
    """Say which command runs the due *stage* of *day*; ``{days}`` in it stands for the command that a person gives.

    Args:
        pipeline: with the source.
        by_itself: the days that ``reconcile`` runs (:func:`hnintel.planning.due.days_due`).
        day: the partition.
        stage: of it.
    """
    for due in by_itself:
        if due.day == day and stage in graph.choose(pipeline.stages, due.stages):
            return RECONCILE.format(source=source_words(pipeline))
    return _NOBODY if day < pipeline.settings.first_day else _BY_HAND


def command_for(days: Sequence[date], pipeline: Pipeline) -> str:
    """Return the command that runs the due stages of *days*, oldest first."""
    if len(days) == 1:
        return f"python flows/main.py --day {days[0]}{source_words(pipeline)}"
    return f"python flows/backfill.py --from {days[0]} --to {days[-1]}{source_words(pipeline)}"


def source_words(pipeline: Pipeline) -> str:
    """Return the argument that names the source, or "" where it is the set source."""
    return "" if pipeline.spec == load_settings().source else f" --source {shlex.quote(pipeline.spec)}"
