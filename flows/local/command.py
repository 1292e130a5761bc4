"""What every command of a flow does around it: checks, Prefect, one line and an exit code for an error."""

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

_telling = threading.Lock()
#: What the command that runs has said went wrong.
_told: set[str] = set()


def guarded(run: Callable[[], int]) -> int:
    """One line and an exit code for whatever ends *run* early."""
    private_files.set_umask()
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    _told.clear()
    try:
        return run()
    except KeyboardInterrupt:
        return tell("interrupted: what was read and answered is kept; run it again to go on from there", INTERRUPTED)
    except HnIntelError as error:
        return tell(str(error), error.exit_code)
    except Exception as error:
        return tell(unexpected(error), UNEXPECTED)
    except BaseException as error:
        if type(error).__name__ != "TerminationSignal":  # Prefect's way of passing a SIGTERM on
            raise
        return tell(
            "ended by SIGTERM: what was read and answered is kept; run it again to go on from there", TERMINATED
        )


def refuse_days_not_held(source: Source, spec: str, zone: str, first: date, last: date) -> Span:
    """The days from *first* to *last*, without those before the first and after the last day that *source* has.

    Raises:
        UsageError: it has none of them; the message names those that it has.
    """
    held = source.days(zone)
    within = [day for day in held if first <= day <= last]
    if not held:  # not known without reading it
        return Span(first, last)
    if not within:
        asked = f"{first}" if first == last else f"{first} to {last}"
        raise UsageError(f"{spec} has no story of {asked}: give one of the days that it has, {in_words(held)}")
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
    """Run the flow that *start* gives, with Prefect up and progress told; *start* imports Prefect while it comes up."""
    writable(settings.folder)
    reporter = told_by or (progress.Bars() if sys.stderr.isatty() and not prefect_logs else progress.Lines())
    progress.use(reporter)
    api = prefect_home.own_api()

    def give_up(lost: PrefectAway) -> None:
        """End the process where the run does not end by itself."""
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
        told = prefect_errors.in_one_line(error, settings.folder, api)
        if told is None:
            raise
        raise told from error
    finally:
        if isinstance(reporter, progress.Bars):
            reporter.close()


def _say_stopping() -> Callable[[], None]:
    """A function that says, once, that the run is ending: dbt may take seconds to finish the statement it is at."""
    said = threading.Event()

    def say() -> None:
        if not said.is_set():
            said.set()
            with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
                progress.say("stopping: the statements under way are finished first; what was answered is kept")

    return say


class Parser(argparse.ArgumentParser):
    """For the scripts of deployments: what is wrong with the arguments is one line, as every other mistake."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message} (--help tells how)")


def check_warehouse(settings: Settings) -> None:
    """Open the warehouse once, before a server is started for a run that would fail without it.

    Not where a Prefect block has the login: that can be read once Prefect is up.

    Raises:
        UsageError: the engine, or the login, lacks a setting.
        WarehouseError: the warehouse cannot be opened.
    """
    if settings.warehouse == "snowflake" and settings.snowflake_block:
        return
    with open_warehouse(settings).transaction(stage="enrich"):
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
    """In place of a stream that the caller has closed."""
    return open(os.devnull, "w", encoding="utf-8")


def leave(code: int) -> NoReturn:
    """End the process with *code*, now that all is written and closed.

    Not by way of the interpreter's own exit: there Prefect's threads may start another server for what they still
    hold, and DuckDB prints what dbt's adapter did not let go of (docs/decisions/0003-ephemeral-server.md).
    """
    logging.shutdown()
    run_exit_finalizers()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
            stream.flush()
    os._exit(code)


def tell(line: str, code: int) -> int:
    """Say what went wrong in one line, once where two threads end the process for the same reason; gives *code*."""
    with _telling:
        if line not in _told:
            _told.add(line)
            with contextlib.suppress(OSError):  # nobody reads it any more
                print(f"error: {line}", file=sys.stderr, flush=True)
    return code
