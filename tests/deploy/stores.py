"""Postgres and Redis for a test, set up as in deployments/compose.yaml, from the installed programs."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import yaml

from tests.conftest import ROOT
from tests.flows.own_prefect import free_port

_PATIENCE = 60.0
#: What the compose file asks for; its user name and a password for each start of the tests.
SECRETS = {
    "POSTGRES_PASSWORD": secrets.token_hex(8),
    "REDIS_PASSWORD": secrets.token_hex(8),
    "PREFECT_SERVER_API_AUTH_STRING": f"hn:{secrets.token_hex(8)}",
}


class NotInstalled(Exception):
    """A store is not installed; the message says how to install it."""


@contextmanager
def redis_alone() -> Iterator[dict[str, str]]:
    """Run Redis until the block ends, and return the compose file's settings for it.

    Raises:
        NotInstalled: it is not installed.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="hnintel-stores-") as folder, _redis(Path(folder), port):
        told = _settings(free_port(), port)
        yield {name: value for name, value in told.items() if name.startswith("PREFECT_REDIS_")}


@contextmanager
def postgres_and_redis() -> Iterator[dict[str, str]]:
    """Run both until the block ends, and return the compose file's settings for a Prefect server.

    Raises:
        NotInstalled: one of them is not installed.
    """
    postgres, redis = free_port(), free_port()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hnintel-stores-")))
        stack.enter_context(_postgres(folder, postgres))
        stack.enter_context(_redis(folder, redis))
        yield _settings(postgres, redis)


def _settings(postgres: int, redis: int) -> dict[str, str]:
    """Return the environment of the compose file's server, with the addresses of these stores."""
    compose = yaml.safe_load((ROOT / "deployments" / "compose.yaml").read_text(encoding="utf-8"))
    told = {name: str(value) for name, value in compose["x-server"]["environment"].items() if "HOME" not in name}
    for there, address in {"@postgres:5432/": f"@127.0.0.1:{postgres}/", "@redis:6379": f"@127.0.0.1:{redis}"}.items():
        told = {name: value.replace(there, address) for name, value in told.items()}
    told = {name: re.sub(r"\$\{(\w+):\?[^}]*\}", _secret, value) for name, value in told.items()}
    return told | {"PREFECT_REDIS_MESSAGING_HOST": "127.0.0.1", "PREFECT_REDIS_MESSAGING_PORT": str(redis)}


def _secret(wanted: re.Match[str]) -> str:
    return SECRETS[wanted[1]]


@contextmanager
def _postgres(folder: Path, port: int) -> Iterator[None]:
    binaries = _postgres_binaries()
    owner = _owner_of_postgres(folder)
    data = folder / "postgres"
    made = [binaries / "initdb", "--pgdata", data, "--username", "prefect", "--auth", "trust", "--no-sync"]
    subprocess.run([str(one) for one in made], user=owner, check=True, capture_output=True, cwd=folder)
    served = [binaries / "postgres", "-D", data, "-p", port, "-k", folder, "-c", "listen_addresses=127.0.0.1"]
    with _running([str(one) for one in served], folder, owner):
        asked = [binaries / "createdb", "--host", "127.0.0.1", "--port", port, "--username", "prefect", "prefect"]
        _until_done([str(one) for one in asked])
        yield


@contextmanager
def _redis(folder: Path, port: int) -> Iterator[None]:
    server, client = shutil.which("redis-server"), shutil.which("redis-cli")
    if server is None or client is None:
        raise NotInstalled("no redis-server here: apt-get install redis-server")
    (folder / "redis.conf").write_text(f"requirepass {SECRETS['REDIS_PASSWORD']}\n", encoding="utf-8")
    told = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)]
    with _running([server, str(folder / "redis.conf"), *told], folder, None):
        _until_done([client, "-e", "--no-auth-warning", "-a", SECRETS["REDIS_PASSWORD"], "-p", str(port), "ping"])
        yield


def _postgres_binaries() -> Path:
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        raise NotInstalled("no postgres here: apt-get install postgresql")
    return folders[-1]


def _owner_of_postgres(folder: Path) -> str | None:
    """Return the user that runs Postgres: root may not, so the user that its package created does."""
    if os.geteuid() != 0:
        return None
    shutil.chown(folder, "postgres")
    return "postgres"


@contextmanager
def _running(command: list[str], folder: Path, user: str | None) -> Iterator[None]:
    with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, user=user)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until_done(command: list[str]) -> None:
    """Repeat *command* until it succeeds: the server that it asks may still be starting."""
    deadline = time.monotonic() + _PATIENCE
    while (ended := subprocess.run(command, capture_output=True, text=True, check=False)).returncode:
        assert time.monotonic() < deadline, ended.stderr
        time.sleep(0.2)
