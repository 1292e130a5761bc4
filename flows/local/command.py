"""What the commands of the flows share: checks, Prefect, and errors as a line and an exit code."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Coroutine
from datetime import date
from pathlib import Path
from typing import Any, NoReturn, TextIO

from flows.local import prefect_home
from flows.local.pruning import prune
from hnintel.cli.exit_codes import INTERRUPTED, TERMINATED, UNEXPECTED
from hnintel.cli.invoke import unexpected
from hnintel.enrich.declaration import load_enrichments
from hnintel.enrich.functions import Functions
from hnintel.errors import HnIntelError, PrefectAway, UsageError, WarehouseError
from hnintel.partitions.calendar import Span, in_words
from hnintel.process import progress, stopping
from hnintel.process.progress import Reporter
from hnintel.settings import Settings, private_files
from hnintel.sources.base import Source
from hnintel.warehouse import open_warehouse
from tasks import prefect_errors
from tasks.prefect_private import run_exit_finalizers

#: A flow with its parameters, ready to be run.
Ran = Callable[[], Coroutine[Any, Any, dict[str, Any]]]

_printing = threading.Lock()
#: The errors that this command has printed.
_printed: set[str] = set()


def guarded(run: Callable[[], int]) -> int:
    """Run *run*; print a line and return an exit code for whatever ends it early."""
    private_files.set_umask()
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    _printed.clear()
    try:
        return run()
    except KeyboardInterrupt:
        return tell("interrupted: items and answers so far are stored; run it again to continue", INTERRUPTED)
    except HnIntelError as error:
        return tell(str(error), error.exit_code)
    except Exception as error:
        return tell(unexpected(error), UNEXPECTED)
    except BaseException as error:
        if type(error).__name__ != "TerminationSignal":  # Prefect's way of passing a SIGTERM on
            raise
        return tell("ended by SIGTERM: items and answers so far are stored; run it again to continue", TERMINATED)


def refuse_days_not_held(source: Source, spec: str, zone: str, first: date, last: date) -> Span:
    """Return the days from *first* to *last*, cut to the days that *source* has.

    Raises:
        UsageError: the source has none of these days; the message names the days that it has.
    """
    days = source.days(zone)
    within = [day for day in days if first <= day <= last]
    if not days:  # not known without reading it
        return Span(first, last)
    if not within:
        requested = f"{first}" if first == last else f"{first} to {last}"
        raise UsageError(f"{spec} has no story of {requested}: give one of the days that it has, {in_words(days)}")
    if (within[0], within[-1]) != (first, last):
        print(f"note: {spec} has stories of {in_words(within)} alone; the other days are left out", file=sys.stderr)
    return Span(within[0], within[-1])


def flow_at(entrypoint: str) -> Callable[..., Any]:
    """The flow that ``prefect.yaml`` names so, such as ``flows/main.py:hacker_news``.

    A flow's file starts its command line where it is run as a script; the command line finds the flow by its name, as
    a worker does, so that neither module imports the other.
    """
    path, _, name = entrypoint.partition(":")
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    flow: Callable[..., Any] = getattr(module, name)
    return flow


def load_dbt() -> None:
    """Load dbt, after Prefect, while Prefect's server comes up."""
    import tasks.dbt_runner  # noqa: F401


def in_prefect(
    settings: Settings, prefect_logs: bool, start: Callable[[], Ran], told_by: Reporter | None = None
) -> dict[str, Any]:
    """Run the flow that *start* gives, with Prefect running and progress shown; *start* imports Prefect meanwhile."""
    writable(settings.folder)
    reporter = told_by or (progress.Bars() if sys.stderr.isatty() and not prefect_logs else progress.Lines())
    progress.use(reporter)
    api = prefect_home.own_api()

    def give_up(lost: PrefectAway) -> None:
        """End the process if the run does not end by itself."""
        if isinstance(reporter, progress.Bars):
            reporter.close()
        leave(tell(str(lost), lost.exit_code))

    try:
        progress.update("start", 0, note="Prefect" if api else "Prefect's own server, about ten seconds")
        with prefect_home.prefect(settings, prefect_logs, api, give_up) as wait:
            flow = start()
            wait()
            if api is None:
                prune(settings.prefect_keep_days)
            with stopping.when_stopping(_say_stopping()):
                return asyncio.run(flow())
    except Exception as error:
        described = prefect_errors.in_one_line(error, settings.folder, api)
        if described is None:
            raise
        raise described from error
    finally:
        if isinstance(reporter, progress.Bars):
            reporter.close()


def _say_stopping() -> Callable[[], None]:
    """Return a function that prints, once, that the run is ending: dbt may take seconds to finish its statement."""
    said = threading.Event()

    def say() -> None:
        if not said.is_set():
            said.set()
            with contextlib.suppress(OSError, ValueError):  # the reader is gone
                progress.say("stopping: running statements are finished first; answers so far are stored")

    return say


class Parser(argparse.ArgumentParser):
    """The parser of the scripts of deployments: an error in the arguments is a UsageError."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message} (--help tells how)")


def check_warehouse(settings: Settings) -> None:
    """Open the warehouse and find the price of each question, before a server starts for a run that would fail.

    Skipped if a Prefect block has the login, which can be read only after Prefect has started.

    Raises:
        UsageError: the engine, or the login, lacks a setting.
        WarehouseError: the warehouse cannot be opened, or a price is not known.
    """
    if settings.warehouse == "snowflake" and settings.snowflake_block:
        return
    warehouse = open_warehouse(settings)
    for enrichment in load_enrichments(settings.enrichments_path).values():
        Functions.of(warehouse, enrichment, settings)
    with warehouse.transaction(stage="enrich"):
        pass


def writable(folder: Path) -> None:
    """Make the home folder: the first thing that is written, and refused before a server is started."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise WarehouseError(f"{folder} cannot be written ({error.strerror}): give another HNINTEL_HOME") from None


def _nowhere() -> TextIO:
    """Return a stream in place of a stream that the caller has closed."""
    return open(os.devnull, "w", encoding="utf-8")


def leave(code: int) -> NoReturn:
    """End the process with *code*, now that all is written and closed.

    Not by way of the interpreter's own exit: there Prefect's threads may start another server for what they still
    hold, and DuckDB prints what dbt's adapter did not let go of (docs/decisions/0003-ephemeral-server.md).
    """
    logging.shutdown()
    run_exit_finalizers()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # the reader is gone
            stream.flush()
    os._exit(code)


def tell(line: str, code: int) -> int:
    """Print an error as a line, once even if two threads report it, and return *code*."""
    with _printing:
        if line not in _printed:
            _printed.add(line)
            with contextlib.suppress(OSError):  # the reader is gone
                print(f"error: {line}", file=sys.stderr, flush=True)
    return code
