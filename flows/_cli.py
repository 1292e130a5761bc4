"""``python flows/main.py``: arguments in, progress and a closing table out, one line and an exit code for an error."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import multiprocessing.util
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TextIO

from rich.console import Console
from rich.table import Table

from flows import _local
from hnintel import accepted, progress
from hnintel.enrichment import load_enrichments
from hnintel.errors import HnIntelError, UsageError, WarehouseError
from hnintel.plan import plan
from hnintel.reconcile import days_due
from hnintel.settings import Settings, load_settings
from hnintel.sources import NAMES, open_source
from hnintel.summary import as_rows
from hnintel.warehouse import open_warehouse
from hnintel.window import parse_day, refuse_future, yesterday

#: A flow with its parameters, ready to be run.
Ran = Callable[[], Coroutine[Any, Any, dict[str, Any]]]

_INTERRUPTED = 130
_TERMINATED = 143
_UNEXPECTED = 1


def main(argv: list[str]) -> int:
    """``flows/main.py``: run one day as the arguments say; the exit code."""

    def run() -> int:
        asked = _arguments(argv)
        try:
            if asked.plan:
                return _tell_plan(asked)
            told = _one_day(asked)
        except HnIntelError as error:
            if asked.json:  # a script that reads stdout is told too
                print(json.dumps({"status": "failed", "error": str(error), "exit_code": error.exit_code}))
            raise
        return _close(told, as_json=asked.json)

    return _guarded(run)


def _one_day(asked: argparse.Namespace) -> dict[str, Any]:
    settings = load_settings(source=asked.source)
    day = _checked(asked.day, settings)
    accepted.refuse_changed(load_enrichments(settings.enrichments_path), settings.enrichments_path)

    def start() -> Ran:
        from flows.main import hacker_news

        return partial(hacker_news, day, settings.source)

    began = time.monotonic()
    told = _in_prefect(settings, asked.prefect_logs, start)
    told["seconds"]["all"] = round(time.monotonic() - began, 2)
    return told


def _tell_plan(asked: argparse.Namespace) -> int:
    """What the run would ask and what that would cost; no Prefect, no question, nothing written but a new home."""
    settings = load_settings(source=asked.source)
    now = datetime.now(UTC)
    newest = open_source(settings.source, settings).newest_day(settings.time_zone)
    day = _checked(asked.day, settings) or newest or yesterday(now, settings.time_zone)
    _writable(settings.folder)
    planned = plan(open_warehouse(settings), day, settings)
    total = planned.total
    table = Table(title=f"What a run of {day} would ask about the {planned.items} items that are here")
    for name in ("stage", "questions", "tokens in", "tokens out", f"cost, {total.currency}"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for name, one in [*planned.stages.items(), ("together", total)]:
        table.add_row(name, str(one.rows), str(one.input_tokens), str(one.output_tokens), f"{one.cost:.4f}")
    console = Console(stderr=True, soft_wrap=True)
    console.print(table)
    if not planned.items:
        console.print("nothing of this day is here yet: what it would ask is known once its items are read")
    if asked.json:
        print(json.dumps(planned.as_json()), flush=True)
    return 0


def main_reconcile(argv: list[str]) -> int:
    """``flows/reconcile.py``: run again what is due, or with ``--plan`` only say what that is; the exit code."""

    def run() -> int:
        parser = _parser("flows/reconcile.py", "Run every day again that settles, or of which a dead letter is due.")
        parser.add_argument("--plan", action="store_true", help="only say which days are due, and why")
        asked = parser.parse_args(argv)
        settings = load_settings(source=asked.source)
        open_source(settings.source, settings)
        _writable(settings.folder)
        with open_warehouse(settings).transaction() as session:
            due = days_due(session, settings, settings.source, datetime.now(UTC).replace(tzinfo=None))
        for one in due:
            print(f"{one.day}: {one.why}", file=sys.stderr)
        if not due:
            print("nothing is due", file=sys.stderr)
        told: dict[str, Any] = {"source": settings.source, "days": {str(one.day): {"why": one.why} for one in due}}
        if due and not asked.plan:

            def start() -> Ran:
                from flows.reconcile import reconcile

                return partial(reconcile, settings.source)

            told = _in_prefect(settings, asked.prefect_logs, start)
        if asked.json:
            print(json.dumps(told, default=str))
        return 0

    return _guarded(run)


def _guarded(run: Callable[[], int]) -> int:
    """One line and an exit code for whatever ends *run* early."""
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    try:
        return run()
    except KeyboardInterrupt:
        return _tell("interrupted: what was read and answered is kept; run it again to go on from there", _INTERRUPTED)
    except HnIntelError as error:
        return _tell(str(error), error.exit_code)
    except Exception as error:
        details = load_settings().logs / "unexpected.log"
        details.parent.mkdir(parents=True, exist_ok=True)
        with details.open("a", encoding="utf-8") as stream:
            traceback.print_exc(file=stream)
        return _tell(f"unexpected {type(error).__name__}: {_first_line(error)}; details in {details}", _UNEXPECTED)
    except BaseException as error:
        if type(error).__name__ != "TerminationSignal":  # Prefect's way of passing a SIGTERM on
            raise
        return _tell(
            "ended by SIGTERM: what was read and answered is kept; run it again to go on from there", _TERMINATED
        )


def _in_prefect(settings: Settings, prefect_logs: bool, start: Callable[[], Ran]) -> dict[str, Any]:
    """Run the flow that *start* gives, with Prefect up and progress told; *start* imports Prefect while it comes up."""
    _writable(settings.folder)
    reporter = progress.Bars() if sys.stderr.isatty() and not prefect_logs else progress.Lines()
    progress.use(reporter)
    try:
        progress.update("start", 0, note="Prefect's own server, about ten seconds")
        with _local.prefect(settings, prefect_logs) as wait:
            flow = start()
            wait()
            return asyncio.run(flow())
    finally:
        if isinstance(reporter, progress.Bars):
            reporter.close()


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, as for every other mistake."""
        raise UsageError(f"{message} (--help tells how)")


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = _parser("flows/main.py", "Run one day of Hacker News through the whole pipeline.")
    parser.add_argument(
        "--day", metavar="YYYY-MM-DD", help="the day to run (default: yesterday for live, else the newest with items)"
    )
    parser.add_argument(
        "--plan", action="store_true", help="only say what would be asked of AI, and what it would cost; asks nothing"
    )
    return parser.parse_args(argv)


def _parser(script: str, description: str) -> _Parser:
    parser = _Parser(prog=f"python {script}", description=description)
    parser.add_argument("--source", metavar="|".join(NAMES), help="where to read from (default: HNINTEL_SOURCE, live)")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on stdout")
    parser.add_argument("--prefect-logs", action="store_true", help="show Prefect's own logs too")
    return parser


def _checked(asked: str | None, settings: Settings) -> date | None:
    """Refuse what can be refused before anything is started or written."""
    day = parse_day(asked) if asked is not None else None
    source = open_source(settings.source, settings)
    if day is not None:
        refuse_future(day, datetime.now(UTC), settings.time_zone)
        if day < settings.first_day:
            raise UsageError(f"{day} is before the first day wanted, HNINTEL_FIRST_DAY={settings.first_day}")
    if source.newest_day(settings.time_zone) is None and source.name != "live":  # reads a dump: a broken one ends here
        raise UsageError(f"{settings.source} holds no story with a time: there is no day to run")
    return day


def _writable(folder: Path) -> None:
    """Make the home folder: the first thing that is written, and refused before a server is started."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise WarehouseError(f"{folder} cannot be written ({error.strerror}): give another HNINTEL_HOME") from None


def _close(told: dict[str, Any], as_json: bool) -> int:
    """The table, and the JSON; the run is done and kept, whether or not anybody can be told."""
    table = Table(title=f"Hacker News on {told['day']}, from {told['source']}: {told['status']}", show_header=False)
    for name, line in as_rows(told):
        table.add_row(name, line)
    try:
        Console(stderr=True, soft_wrap=True).print(table)
        if as_json:
            print(json.dumps(told, default=str), flush=True)
    except OSError as error:
        return _tell(f"the run is done, but its summary could not be written ({error.strerror})", _UNEXPECTED)
    return 0


def _nowhere() -> TextIO:
    """In place of a stream that the caller has closed."""
    return open(os.devnull, "w", encoding="utf-8")


def leave(code: int) -> NoReturn:
    """End the process with *code*, now that all is written and closed.

    Not by way of the interpreter's own exit: there Prefect's threads may start another server for what they still
    hold, and DuckDB prints what dbt's adapter did not let go of (docs/decisions/0003-ephemeral-server.md).
    """
    logging.shutdown()
    multiprocessing.util._run_finalizers()  # type: ignore[attr-defined]  # frees the semaphores that dbt took
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
            stream.flush()
    os._exit(code)


def _tell(line: str, code: int) -> int:
    with contextlib.suppress(OSError):  # nobody reads it any more
        print(f"error: {line}", file=sys.stderr, flush=True)
    return code


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or "no message").splitlines()[0][:300]
