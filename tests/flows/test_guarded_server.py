"""Which names a server answers to, and that only one of a home starts at a time; around an app that only says yes."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from flows.local import guarded_server
from flows.local.guarded_server import OneStartAtATime, _host, behind_host_check
from tests.conftest import ROOT


async def yes(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that answers 200 to everything."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def status(host: str, allowed: tuple[str, ...] = ()) -> int:
    async def ask() -> int:
        transport = httpx.ASGITransport(app=behind_host_check(yes, allowed))
        async with httpx.AsyncClient(transport=transport) as client:
            return (await client.get("http://x/api/health", headers={"Host": host})).status_code

    return asyncio.run(ask())


@pytest.mark.parametrize("host", ["127.0.0.1:4200", "localhost:1", "LOCALHOST", "[::1]:4200", "127.0.0.1"])
def test_this_machine_is_answered(host: str) -> None:
    assert status(host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:4200",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example@127.0.0.1",
        "127.0.0.1@evil.example",
        "127.0.0.1, evil.example",
        "0.0.0.0:4200",
        "2130706433",
        "127.1",
        "[::]",
        "[::ffff:127.0.0.1]",
        "localhost.",
        "",
    ],
)
def test_another_name_for_the_same_address_is_refused(host: str) -> None:
    assert status(host) == 400


@given(st.from_regex(r"[a-z0-9.-]{1,40}(:[0-9]{1,5})?", fullmatch=True))
def test_no_other_name_is_ever_answered(host: str) -> None:
    if host.split(":")[0] not in ("127.0.0.1", "localhost"):
        assert status(host) == 400


def test_a_name_that_is_allowed_is_answered_beside_loopback() -> None:
    assert status("server:4200", ("server",)) == 200
    assert status("127.0.0.1:4200", ("server",)) == 200
    assert status("www.server:4200", ("server",)) == 400


@pytest.mark.parametrize("name", ["*", "", "a:80", "http://a", "*.*", "a/b", "*a"])
def test_what_is_no_name_cannot_be_allowed(name: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        _host(name)


@pytest.mark.parametrize("name", ["server", "prefect-server.ns.svc", "*.example.com", "[::1]", "10.0.0.7"])
def test_names_can_be_allowed(name: str) -> None:
    assert _host(name) == name


def test_the_file_needs_nothing_else_of_the_project(tmp_path: Path) -> None:
    command = [sys.executable, "-P", str(ROOT / "flows" / "local" / "guarded_server.py"), "--allow-host", "*"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 2
    assert "'*' is no name of a host" in ended.stderr


def started(lock: Path, running: list[int], most: list[int]) -> OneStartAtATime:
    """An app whose startup takes a moment; *most* has how many were starting at once."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        running.append(1)
        most.append(len(running))
        await asyncio.sleep(0.05)
        running.pop()
        await send({"type": "lifespan.startup.complete"})

    return OneStartAtATime(app, lock)


async def nothing(*_: object) -> Message:
    return {}


def test_of_many_servers_of_one_home_one_starts_at_a_time(tmp_path: Path) -> None:
    running: list[int] = []
    most: list[int] = []

    async def all_at_once() -> None:
        apps = [started(tmp_path / "lock", running, most) for _ in range(5)]
        await asyncio.gather(*(app({"type": "lifespan"}, nothing, nothing) for app in apps))

    asyncio.run(all_at_once())
    assert most == [1] * 5


def test_a_start_that_fails_holds_up_nobody(tmp_path: Path) -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("no database")

    with pytest.raises(RuntimeError):
        asyncio.run(OneStartAtATime(fails, tmp_path / "lock")({"type": "lifespan"}, nothing, nothing))
    FileLock(tmp_path / "lock").acquire(timeout=0)


def test_a_start_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_server, "START_WITHIN", 0.2)
    with FileLock(tmp_path / "lock"), pytest.raises(TimeoutError, match="end who holds it"):
        asyncio.run(started(tmp_path / "lock", [], [])({"type": "lifespan"}, nothing, nothing))
