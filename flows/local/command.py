"""What every script of a flow does around it: arguments, Prefect, one line and an exit code for an error."""

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
import traceback
from collections.abc import Callable, Coroutine
from datetime import date
from pathlib import Path
from typing import Any, NoReturn, TextIO

from flows.local import prefect_home
from flows.local.pruning import prune
from hnintel.errors import HnIntelError, PrefectAway, UsageError, WarehouseError, first_line
from hnintel.process import progress
from hnintel.process.progress import Reporter
from hnintel.settings import Settings, load_settings, private_files
from hnintel.sources import NAMES
from hnintel.sources.base import Source
from tasks import prefect_errors
from tasks.prefect_private import run_exit_finalizers

#: A flow with its parameters, ready to be run.
Ran = Callable[[], Coroutine[Any, Any, dict[str, Any]]]

_INTERRUPTED = 130
_TERMINATED = 143
UNEXPECTED = 1
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
        return tell("interrupted: what was read and answered is kept; run it again to go on from there", _INTERRUPTED)
    except HnIntelError as error:
        return tell(str(error), error.exit_code)
    except Exception as error:
        told = f"unexpected {type(error).__name__}: {first_line(error)}"
        return tell(f"{told}; {_details()}", UNEXPECTED)
    except BaseException as error:
        if type(error).__name__ != "TerminationSignal":  # Prefect's way of passing a SIGTERM on
            raise
        return tell(
            "ended by SIGTERM: what was read and answered is kept; run it again to go on from there", _TERMINATED
        )


def _details() -> str:
    """Put the traceback of what is going wrong into a file; where it can be found, as the end of a line."""
    details = load_settings().logs / "unexpected.log"
    try:
        details.parent.mkdir(parents=True, exist_ok=True)
        with details.open("a", encoding="utf-8") as stream:
            traceback.print_exc(file=stream)
    except OSError as error:
        return f"details could not be written to {details} ({error.strerror})"
    return f"details in {details}"


def tell_of_no_story(source: Source, settings: Settings, first: date, last: date) -> None:
    """A note on stderr where *source* holds nothing of the days asked for, which may be mistyped."""
    held = source.days(settings.time_zone)
    if held and not any(first <= day <= last for day in held):
        asked = f"{first}" if first == last else f"{first} to {last}"
        days = f"{len(held)} days from {held[0]} to {held[-1]}" if len(held) > 1 else str(held[0])
        print(f"note: {settings.source} holds no story of {asked}; it holds those of {days}", file=sys.stderr)


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
            return asyncio.run(flow())
    except Exception as error:
        told = prefect_errors.in_one_line(error, settings.folder, api)
        if told is None:
            raise
        raise told from error
    finally:
        if isinstance(reporter, progress.Bars):
            reporter.close()


class Parser(argparse.ArgumentParser):
    """Tells what is wrong with the arguments as every other mistake is told."""

    def error(self, message: str) -> NoReturn:
        """One line, as for every other mistake."""
        raise UsageError(f"{message} (--help tells how)")


def parser(script: str, description: str) -> Parser:
    """The arguments that every script has."""
    made = Parser(prog=f"python {script}", description=description)
    made.add_argument("--source", metavar="|".join(NAMES), help="where to read from (default: HNINTEL_SOURCE, live)")
    made.add_argument("--json", action="store_true", help="end with one JSON object on stdout")
    made.add_argument("--prefect-logs", action="store_true", help="show Prefect's own logs too")
    return made


def add_stages(made: argparse.ArgumentParser) -> None:
    """The argument that chooses stages."""
    made.add_argument(
        "--stage",
        action="append",
        default=[],
        metavar="NAME[+]",
        help="only this stage, such as enrich:entities; with a + what is downstream too; may be given again",
    )


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
