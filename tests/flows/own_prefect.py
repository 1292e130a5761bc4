"""Prefect for processes of a test: a migrated database, and a separate server."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import prefect

from flows.local.server import SETTINGS
from tests.conftest import ROOT

_READY_WITHIN = 180.0


def bare_environ(folder: Path) -> dict[str, str]:
    """Return an environment without the developer's settings, in which everything is written to *folder*."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HNINTEL_"))}
    return {**own, "HOME": str(folder)}


def seed(prefect_home: Path) -> None:
    """Copy a migrated, empty database there, which takes a new home ten seconds to create."""
    prefect_home.mkdir(parents=True, exist_ok=True)
    shutil.copy(_migrated(), prefect_home / "prefect.db")


def _migrated() -> Path:
    """Return such a database, created once for each version of Prefect."""
    kept = ROOT / ".pytest_cache" / f"prefect-{prefect.__version__}.db"
    if not kept.exists():
        own = kept.parent / f"prefect-{os.getpid()}"
        own.mkdir(parents=True)
        environ = {**bare_environ(own), "PREFECT_HOME": str(own)}
        command = [sys.executable, "-m", "prefect", "server", "database", "upgrade", "-y"]
        subprocess.run(command, env=environ, check=True, capture_output=True, stdin=subprocess.DEVNULL)
        with closing(sqlite3.connect(own / "prefect.db")) as made, closing(sqlite3.connect(own / "whole.db")) as whole:
            made.backup(whole)  # what is still in the log that lies beside it too
        (own / "whole.db").replace(kept)
        shutil.rmtree(own)
    return kept


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def api(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Start an empty Prefect server in a process; return its address and the process."""
    seed(folder / "server")
    port = free_port()
    quiet = {**SETTINGS, "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    server = subprocess.Popen(
        [sys.executable, "-m", "flows.local.server", str(port)],
        cwd=ROOT,
        env={**bare_environ(folder), **quiet, "PREFECT_HOME": str(folder / "server")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url, deadline = f"http://127.0.0.1:{port}/api", time.monotonic() + _READY_WITHIN
        while not _is_up(url):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield url, server
    finally:
        server.kill()
        server.wait()


def _is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
