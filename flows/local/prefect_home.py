"""A run outside a deployment: Prefect's home below ours, a server for as long as it takes, and quiet."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flows.local.auth import CLIENT, auth_string, private_folder
from flows.local.lost_server import LostServer
from flows.local.server import Server, plain_http
from flows.local.spoken_wait import aloud
from hnintel.errors import PrefectAway
from hnintel.settings import ROOT, Settings, private_files
from tasks.prefect_private import drain_events

#: The file of Prefect's profiles, by default.
_PROFILES = Path("~/.prefect/profiles.toml")
_DRAINED_WITHIN = 20.0
_PROFILE_WITHIN = 60.0
_ASK = "from prefect.settings import Settings; print(Settings().api.url or '')"


@contextmanager
def prefect(
    settings: Settings, verbose: bool, api: str | None, give_up: Callable[[PrefectAway], object] | None = None
) -> Iterator[Callable[[], None]]:
    """Prefect's environment for the block; enter it before Prefect is imported. What the user has set stays as it is.

    Args:
        settings: whose folder it is.
        verbose: whether to show Prefect's own logs.
        api: the user's own, by :func:`own_api`.
        give_up: see :class:`flows.local.lost_server.LostServer`.

    Yields:
        A function to call before the first flow runs: it waits until the server is up.

    Raises:
        PrefectAway: the run's own server ended before the block did.
        WarehouseError: the home cannot be written.
    """
    private_files.protect(settings)  # before the folder is closed: what is in a closed one is taken to be so too
    home = settings.folder / "prefect"
    private_folder(home)
    if api is None:
        if not _has_place():
            os.environ["PREFECT_HOME"] = str(home)
        os.environ.update(plain_http(home))
        os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        os.environ.setdefault("PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE", "200")
        os.environ.setdefault("PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL", "1")
        os.environ.setdefault("PREFECT_LOGGING_TO_API_ENABLED", "false")
    os.environ.setdefault("PREFECT_LOCAL_STORAGE_PATH", str(home / "results"))
    os.environ.setdefault(
        "PREFECT_RESULTS_DEFAULT_SERIALIZER", "json"
    )  # no pickle, should Prefect ever store another result
    if not verbose:
        # A log that cannot be sent or written is no reason to print into the middle of what a person reads.
        logging.raiseExceptions = False
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
        os.environ.setdefault("PREFECT_LOGGING_ROOT_LEVEL", "CRITICAL")
        os.environ.setdefault("PREFECT_LOGGING_INTERNAL_LEVEL", "CRITICAL")
    if api is not None:
        yield lambda: None
        return
    auth, log = auth_string(home), home / "server.log"
    server = Server(ROOT, log, auth)
    lost = LostServer(log, give_up)
    server.watch(lost.interrupt)
    try:
        # The home's own secret: a secret that the user has set is for another server.
        with _environment({"PREFECT_API_URL": server.url, CLIENT: auth}), lost.told():
            yield lambda: lost.begin(server.wait)
            _drain()
    finally:
        server.end()


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Set *settings* in the environment during the block, and restore the old values after it."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _drain() -> None:
    """Let Prefect send its pending events while its server still runs."""
    with aloud(f"waiting for Prefect to take the last events, at most {_DRAINED_WITHIN:g} s"):
        drain_events(_DRAINED_WITHIN)


def own_api() -> str | None:
    """Return the URL of the user's Prefect API, from the environment or the active profile; None without such an API.

    Without an API, Prefect would start a server itself, wait too briefly for it, and leave it running.

    Raises:
        PrefectAway: Prefect did not answer in time.
    """
    if url := os.environ.get("PREFECT_API_URL"):
        return url
    if not _has_place() and not _PROFILES.expanduser().is_file():
        return None
    # In a process of its own: Prefect keeps the settings that it was imported with, and ours are to come.
    command = [sys.executable, "-P", "-c", _ASK]
    try:
        with aloud(f"waiting for Prefect to read its profile, at most {_PROFILE_WITHIN:g} s"):
            profile = subprocess.run(  # noqa: S603 - our own line, by our own interpreter
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=_PROFILE_WITHIN
            )
    except subprocess.TimeoutExpired:
        waited = f"Prefect did not read its profile within {_PROFILE_WITHIN:g} s: set PREFECT_API_URL, or run it again"
        raise PrefectAway(waited) from None
    return profile.stdout.strip() or None


def _has_place() -> bool:
    """Whether it is set where Prefect keeps what it has, or which of its profiles is meant."""
    return any(os.environ.get(name) for name in ("PREFECT_HOME", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH"))
