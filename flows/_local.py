"""A run outside a deployment: Prefect's home below ours, a server for as long as it takes, and quiet."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flows._server import plain_http, server
from hnintel.settings import ROOT, Settings

#: Where Prefect keeps what is set for good, if it is not told otherwise.
_PROFILES = Path("~/.prefect/profiles.toml")
_ASK = "from prefect.settings import Settings; print(Settings().api.url or '')"


@contextmanager
def prefect(settings: Settings, verbose: bool, api: str | None) -> Iterator[Callable[[], None]]:
    """Prefect's environment for the block; enter it before Prefect is imported. What the user has set stays as it is.

    Args:
        settings: whose folder it is.
        verbose: whether Prefect's own logs are wanted.
        api: the user's own, by :func:`own_api`.

    Yields:
        A function to call before the first flow runs: it waits until the server is up.
    """
    home = settings.folder / "prefect"
    home.mkdir(parents=True, exist_ok=True)
    if api is None:
        if not _has_place():
            os.environ["PREFECT_HOME"] = str(home)
        os.environ.update(plain_http(home))
        os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        os.environ.setdefault("PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE", "200")
        os.environ.setdefault("PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL", "1")
        os.environ.setdefault("PREFECT_LOGGING_TO_API_ENABLED", "false")
    os.environ.setdefault("PREFECT_LOCAL_STORAGE_PATH", str(home / "results"))
    os.environ.setdefault("PREFECT_RESULTS_DEFAULT_SERIALIZER", "json")  # no pickle, if anything else is ever kept
    if not verbose:
        # A log that cannot be sent or written is no reason to print into the middle of what a person reads.
        logging.raiseExceptions = False
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
        os.environ.setdefault("PREFECT_LOGGING_ROOT_LEVEL", "CRITICAL")
        os.environ.setdefault("PREFECT_LOGGING_INTERNAL_LEVEL", "CRITICAL")
    if api is not None:
        yield lambda: None
        return
    with server(ROOT, home / "server.log") as (url, wait):
        os.environ["PREFECT_API_URL"] = url
        try:
            yield wait
            _drain()
        finally:
            del os.environ["PREFECT_API_URL"]


def _drain() -> None:
    """Let Prefect send what it still holds while its server is there to take it."""
    from prefect.events.worker import EventsWorker

    EventsWorker.drain_all(timeout=20)


def own_api() -> str | None:
    """The API that the user's runs go to, by the environment or by the profile that is active; None: there is none.

    A home or a profile without an API is no place for them: Prefect would start a server by itself, with little
    patience, and leave it behind.
    """
    if url := os.environ.get("PREFECT_API_URL"):
        return url
    if not _has_place() and not _PROFILES.expanduser().is_file():
        return None
    # In a process of its own: Prefect keeps the settings that it was imported with, and ours are to come.
    asked = subprocess.run(  # noqa: S603 - our own line, by our own interpreter
        [sys.executable, "-P", "-c", _ASK], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or None


def _has_place() -> bool:
    """Whether it is set where Prefect keeps what it has, or which of its profiles is meant."""
    return any(os.environ.get(name) for name in ("PREFECT_HOME", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH"))
