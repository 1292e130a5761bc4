"""The dependency audit: a vulnerability fails, an unreachable index is reported. pip-audit on a loopback OSV."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deployments import audit
from tests.flows.own_prefect import free_port

pytestmark = pytest.mark.slow

_HASH = f" \\\n    --hash=sha256:{'0' * 64}\n"


@contextmanager
def advisories(bad: str) -> Iterator[str]:
    """Start an OSV service with a vulnerability of the package *bad*; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name, version = asked["package"]["name"], asked["version"]
            affected = {"package": {"ecosystem": "PyPI", "name": name}, "versions": [version]}
            fixed = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.9"}]}
            vulnerability = {"id": "PYSEC-2026-1", "affected": [affected | {"ranges": [fixed]}]}
            sent = json.dumps({"vulns": [vulnerability]} if name == bad else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """Write a list of two packages with hashes."""
    path = tmp_path / "requirements.txt"
    path.write_text(f"first==1.0{_HASH}second==2.0{_HASH}", encoding="utf-8")
    return path


def test_a_known_vulnerability_fails_and_names_package_and_remedy(
    listed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with advisories("second") as url:
        assert audit.main({"HN_AUDIT_OSV_URL": url}, listed) == 1
    assert capsys.readouterr().err == "error: second 2.0: PYSEC-2026-1, fixed in 9.9\n"


def test_packages_without_a_vulnerability_pass_and_are_counted(
    listed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with advisories("third") as url:
        assert audit.main({"HN_AUDIT_OSV_URL": url}, listed) == 0
    assert capsys.readouterr().out == "dependency audit: 2 packages checked, 0 vulnerabilities\n"


def test_advisories_that_cannot_be_asked_are_said_aloud_and_fail_nothing(
    listed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"http://127.0.0.1:{free_port()}/v1/query"
    assert audit.main({"HN_AUDIT_OSV_URL": url}, listed) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("dependency audit: NOT RUN (")
    assert told.err.count("\n") == 1
    assert url not in told.err
