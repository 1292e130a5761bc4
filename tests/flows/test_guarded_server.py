"""Which names, origins and paths a server answers to, and that only one of a home starts at a time."""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from flows.local import guarded_server
from flows.local.auth import server_settings
from flows.local.guarded_server import (
    OneStartAtATime,
    _host,
    behind_host_check,
    behind_origin_check,
    without_api_docs,
)
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


def apps_with_docs() -> FastAPI:
    """An app with another mounted at /api, as Prefect's are, and a page for every other path."""
    outer, inner, pages = FastAPI(), FastAPI(), FastAPI(openapi_url=None)
    inner.get("/variables/name/{name}")(lambda name: name)
    pages.get("/{path:path}")(lambda path: path)
    outer.mount("/api", inner)
    outer.mount("/", pages)
    return outer


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/docs/oauth2-redirect", "/redoc", "/openapi.json"])
@pytest.mark.parametrize("prefix", ["", "/api"])
def test_the_pages_about_the_api_are_not_served(prefix: str, path: str) -> None:
    with TestClient(apps_with_docs()) as client:
        assert client.get(prefix + path).status_code == 200
    with TestClient(without_api_docs(apps_with_docs())) as client:
        assert client.get(prefix + path).status_code == 404
        assert client.post(prefix + path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/runs", "/docs-of-mine", "/api/variables/name/docs"])
def test_every_other_path_is_served(path: str) -> None:
    with TestClient(without_api_docs(apps_with_docs())) as client:
        assert client.get(path).status_code == 200


def test_the_pages_about_the_api_are_not_served_below_another_path_of_the_api_either() -> None:
    app = FastAPI()
    app.mount("/v2/api", FastAPI())
    with TestClient(without_api_docs(app, ("/api", "/v2/api/"))) as client:
        assert client.get("/v2/api/openapi.json").status_code == 404


def opens_websocket(origin: str | None, allowed: tuple[str, ...]) -> bool:
    """Whether a server at 127.0.0.1:4200 accepts a WebSocket from a page of *origin*."""

    async def accepts(scope: Scope, receive: Receive, send: Send) -> None:
        await WebSocket(scope, receive, send).accept()

    headers = {"Host": "127.0.0.1:4200"} | ({} if origin is None else {"Origin": origin})
    client = TestClient(behind_origin_check(accepts, allowed))
    try:
        with client.websocket_connect("/api/events/out", headers=headers):
            return True
    except WebSocketDisconnect:
        return False


OWN = ("http://127.0.0.1:4200", "http://localhost:4200")


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://evil.example:4200",
        "http://127.0.0.1:8000",
        "http://localhost",
        "http://127.0.0.1:4200.evil.example",
        "null",
        "file://",
        "*",
        "",
    ],
)
def test_a_page_of_another_site_cannot_open_a_websocket(origin: str) -> None:
    assert not opens_websocket(origin, OWN)


@pytest.mark.parametrize("origin", [None, *OWN, "HTTP://LOCALHOST:4200"])
def test_a_page_of_the_server_and_a_client_without_an_origin_can_open_a_websocket(origin: str | None) -> None:
    assert opens_websocket(origin, OWN)


def test_a_page_of_the_very_host_that_is_asked_can_open_a_websocket_whatever_is_allowed() -> None:
    assert opens_websocket("https://127.0.0.1:4200", ())
    assert not opens_websocket("https://127.0.0.1", ())


def test_a_websocket_is_open_to_all_origins_where_the_setting_says_so() -> None:
    assert opens_websocket("https://other.example", ("*",))


def test_requests_that_are_no_websocket_are_left_to_cors() -> None:
    with TestClient(behind_origin_check(apps_with_docs(), OWN)) as client:
        assert client.get("/runs", headers={"Origin": "https://evil.example"}).status_code == 200


@pytest.mark.slow  # builds Prefect's app
def test_prefects_own_app_serves_no_pages_about_its_api_and_no_websocket_to_another_site(tmp_path: Path) -> None:
    program = """
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from flows.local.guarded_server import guarded_app

client = TestClient(guarded_app(), base_url="http://127.0.0.1:4200")
paths = [f"{prefix}/{name}" for prefix in ("", "/api") for name in ("docs", "redoc", "openapi.json")]
print(*(client.get(path).status_code for path in paths), client.get("/api/health").status_code)
for origin in ({}, {"Origin": "http://localhost:4200"}, {"Origin": "https://evil.example"}):
    try:
        with client.websocket_connect("ws://127.0.0.1:4200/api/events/out", ["prefect"], headers=origin) as socket:
            socket.send_json({"type": "auth", "token": "wrong"})
            print(socket.receive_json())
    except WebSocketDisconnect as closed:
        print(closed.code, closed.reason)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"PREFECT_HOME": str(tmp_path)} | server_settings("hnintel:of-the-test", 4200),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ran.stdout.splitlines() == [
        "404 404 404 404 404 404 200",
        "1008 Invalid token",  # accepted, and refused by Prefect for the token
        "1008 Invalid token",
        "1008 ",
    ], ran.stderr


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


def test_servers_of_a_home_start_one_at_a_time(tmp_path: Path) -> None:
    running: list[int] = []
    most: list[int] = []

    async def all_at_once() -> None:
        apps = [started(tmp_path / "lock", running, most) for _ in range(5)]
        await asyncio.gather(*(app({"type": "lifespan"}, nothing, nothing) for app in apps))

    asyncio.run(all_at_once())
    assert most == [1] * 5


def test_a_failed_start_blocks_no_other_server(tmp_path: Path) -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("no database")

    with pytest.raises(RuntimeError):
        asyncio.run(OneStartAtATime(fails, tmp_path / "lock")({"type": "lifespan"}, nothing, nothing))
    FileLock(tmp_path / "lock").acquire(timeout=0)


def test_a_start_waits_a_limited_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_server, "START_WITHIN", 0.2)
    with FileLock(tmp_path / "lock"), pytest.raises(TimeoutError, match="end the process that holds it"):
        asyncio.run(started(tmp_path / "lock", [], [])({"type": "lifespan"}, nothing, nothing))
