"""Run a typer application: an error is a line on stderr and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import typer

from hnintel.cli.exit_codes import INTERRUPTED, UNEXPECTED
from hnintel.errors import HnIntelError, Stopped, UsageError, first_line
from hnintel.settings import load_settings, private_files


def invoke(app: typer.Typer, words: Sequence[str], prog: str) -> int:
    """Run the command that *words* name, and return the exit code.

    Args:
        app: with its commands; a command may return its exit code.
        words: the arguments.
        prog: how the application was called, as its help shows it.
    """
    private_files.set_umask()
    try:
        code = int(app(args=list(words), prog_name=prog, standalone_mode=False) or 0)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except Stopped as stopped:
        return _print_error(str(stopped), INTERRUPTED)
    except HnIntelError as error:
        return _print_error(str(error), error.exit_code)
    except typer.TyperException as error:
        return _print_error(f"{_words(error)} (--help tells how)", UsageError.exit_code)
    except OSError as error:  # errors of the warehouse and of sources are HnIntelErrors
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - else the interpreter writes again at exit
        return _print_error(f"the output could not be written ({error.strerror})", UNEXPECTED)
    except (KeyboardInterrupt, typer.Abort):
        return _print_error("interrupted", INTERRUPTED)
    except Exception as error:
        return _print_error(unexpected(error), UNEXPECTED)


def unexpected(error: Exception) -> str:
    """Describe an unexpected error in a line; call it while *error* is handled.

    Its traceback is appended to a file, which the line names.
    """
    return f"unexpected {type(error).__name__}: {first_line(error)}; {_details()}"


def _details() -> str:
    try:
        path = load_settings().logs / "unexpected.log"
    except UsageError as wrong:
        return f"no details were written: the settings cannot be read ({wrong})"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as stream:
            traceback.print_exc(file=stream)
    except OSError as error:
        return f"details could not be written to {path} ({error.strerror})"
    return f"details in {path}"


def _words(error: typer.TyperException) -> str:
    return " ".join(error.format_message().replace("Value error, ", "").split()).removesuffix(".")


def _print_error(line: str, code: int) -> int:
    print(f"error: {line}", file=sys.stderr)
    return code
