"""A run outside a deployment: Prefect's home below ours, a server for as long as it takes, and quiet."""

from __future__ import annotations

import logging
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flows._server import plain_http, server
from hnintel.settings import ROOT, Settings


@contextmanager
def prefect(settings: Settings, verbose: bool) -> Iterator[Callable[[], None]]:
    """Prefect's environment for the block; enter it before Prefect is imported. What the user has set stays as it is.

    Yields:
        A function to call before the first flow runs: it waits until the server is up.
    """
    home = settings.folder / "prefect"
    home.mkdir(parents=True, exist_ok=True)
    own = has_own_prefect(os.environ)
    if not own:
        os.environ["PREFECT_HOME"] = str(home)
        os.environ.update(plain_http(home))
        os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        os.environ.setdefault("PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE", "200")
        os.environ.setdefault("PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL", "1")
        os.environ.setdefault("PREFECT_LOGGING_TO_API_ENABLED", "false")
    os.environ.setdefault("PREFECT_LOCAL_STORAGE_PATH", str(home / "results"))
    if not verbose:
        # A log that cannot be sent or written is no reason to print into the middle of what a person reads.
        logging.raiseExceptions = False
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
        os.environ.setdefault("PREFECT_LOGGING_ROOT_LEVEL", "CRITICAL")
        os.environ.setdefault("PREFECT_LOGGING_INTERNAL_LEVEL", "CRITICAL")
    if own:
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


def has_own_prefect(environ: Mapping[str, str]) -> bool:
    """Whether the user's runs already go somewhere: an API, a home or a profile of their own."""
    if any(environ.get(name) for name in ("PREFECT_API_URL", "PREFECT_HOME", "PREFECT_PROFILE")):
        return True
    try:
        profiles = tomllib.loads((Path.home() / ".prefect" / "profiles.toml").read_text(encoding="utf-8"))
        return "PREFECT_API_URL" in profiles["profiles"][profiles["active"]]
    except (OSError, KeyError, TypeError, tomllib.TOMLDecodeError):
        return False
