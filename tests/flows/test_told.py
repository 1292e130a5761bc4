"""What a run says of itself where nobody sits before it: its stages, in the log that Prefect's UI shows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from prefect import flow

from flows._told import InRunLog
from hnintel import progress


@contextmanager
def the_runs_log() -> Iterator[list[str]]:
    """What is logged of the flow run that is going on."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger, kept = logging.getLogger("prefect.flow_runs"), Kept()
    level = logger.level
    logger.addHandler(kept)
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.removeHandler(kept)
        logger.setLevel(level)


def test_the_log_of_a_run_has_a_line_when_a_stage_begins_and_one_when_it_ends(prefect_server: None) -> None:
    @flow
    def reading() -> None:
        progress.use(InRunLog())
        for done in range(3):
            progress.update("scrape", done, 3)
        progress.finish("scrape", "3 taken, 0 lost to the dead letters")

    with the_runs_log() as lines:
        reading()
    told = [line for line in lines if line.startswith("scrape")]
    assert [line.partition(" (")[0] for line in told] == [
        "scrape: 0 of 3 …",
        "scrape: 3 taken, 0 lost to the dead letters",
    ]


def test_outside_of_a_run_it_says_nothing() -> None:
    with the_runs_log() as lines:
        InRunLog().finish("scrape", "3 taken")
    assert lines == []
