"""``python -m hnintel``: what needs no orchestration. A registry of sub-commands, one line a one; nothing else is here.

An error is one line on stderr and an exit code, as hnintel/errors.py says.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from hnintel.cli import dead_letters, schema
from hnintel.cli.bill import bill
from hnintel.cli.checks import checks
from hnintel.cli.doctor import doctor
from hnintel.cli.eval import eval_
from hnintel.cli.gen import gen
from hnintel.cli.prune import prune
from hnintel.cli.retention import retention
from hnintel.cli.settings import settings
from hnintel.cli.status import status
from hnintel.errors import HnIntelError, Stopped, UsageError
from hnintel.settings import private_files

_UNEXPECTED, _INTERRUPTED = 1, 130

app = typer.Typer(
    name="python -m hnintel",
    help="Hacker News intelligence: what needs no orchestration.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(settings)
app.command()(status)
app.command()(retention)
app.command()(gen)
app.command()(prune)
app.command("eval")(eval_)
app.command()(checks)
app.command()(doctor)
app.command()(bill)
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(schema.app, name="schema")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sub-command that *argv* names; the exit code."""
    private_files.set_umask()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        code = int(app(args=words or ["--help"], standalone_mode=False) or 0)
        sys.stdout.flush()
        return code
    except Stopped as stopped:
        return _tell(str(stopped), _INTERRUPTED)
    except HnIntelError as error:
        return _tell(str(error), error.exit_code)
    except typer.TyperException as error:
        return _tell(f"{_words(error)} (--help tells how)", UsageError.exit_code)
    except OSError as error:  # all others are the warehouse's or a source's, and are told as such
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - what was not written is not tried again as the process ends
        return _tell(f"what there is to say could not be written ({error.strerror})", _UNEXPECTED)
    except (KeyboardInterrupt, typer.Abort):
        return _tell("interrupted", _INTERRUPTED)


def _words(error: typer.TyperException) -> str:
    words = error.format_message() if isinstance(error, typer.BadParameter) else getattr(error, "message", str(error))
    return " ".join(str(words).split())


def _tell(line: str, code: int) -> int:
    print(f"error: {line}", file=sys.stderr)
    return code
