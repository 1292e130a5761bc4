"""The doctor of this machine and of the embedded warehouse: real files, a real dbt, real HTTP over loopback."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hnintel.doctor import embedded, machine
from hnintel.engines import open_engine
from hnintel.settings import Settings
from hnintel.warehouse.duckdb.adapter import DuckDBWarehouse
from hnintel.warehouse.migrations import known_migrations
from tests.servers.chat import ChatServer, Mood

*_, BEFORE, NEWEST = sorted(known_migrations())


@contextmanager
def answering(answers: dict[str, tuple[int, str]], key: str = "") -> Iterator[str]:
    """Start a loopback server that answers GET by path, and HTTP 401 without *key*; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wrong = key and self.headers.get("Authorization") != f"Bearer {key}"
            status, body = (401, "{}") if wrong else answers.get(self.path, (404, ""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def listing(*models: str) -> dict[str, tuple[int, str]]:
    """Return the answer of an OpenAI-compatible endpoint to GET /v1/models."""
    return {"/v1/models": (200, json.dumps({"object": "list", "data": [{"id": name} for name in models]}))}


def closed_port() -> str:
    """Return an address without a server."""
    with answering({}) as url:
        return url


def made(path: Path) -> DuckDBWarehouse:
    """Create a warehouse file as a run does."""
    warehouse = DuckDBWarehouse(path, open_engine(Settings()))
    with warehouse.transaction(stage="enrich"):
        pass
    return warehouse


# --- the machine ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "outcome"), [((3, 10, 1), "missing"), ((3, 11), "ok"), ((3, 13, 9), "ok"), ((3, 14), "missing")]
)
def test_only_supported_versions_of_python_pass(version: tuple[int, ...], outcome: str) -> None:
    assert machine.python(version).outcome == outcome


def test_the_supported_versions_are_those_of_the_package() -> None:
    import tomllib

    from tests.conftest import ROOT

    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    assert wanted == f">={'.'.join(map(str, machine.OLDEST))},<3.{machine.NEWEST[1] + 1}"


def test_a_missing_home_passes_and_is_not_created(tmp_path: Path) -> None:
    home = tmp_path / "a" / "b"
    assert machine.home(Settings(home=home)).detail == f"{home}, created by the first run"
    assert not home.exists()


def test_a_home_below_a_file_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = machine.home(Settings(home=tmp_path / "file" / "home"))
    assert (found.outcome, found.detail) == ("missing", f"{tmp_path / 'file'} cannot be written")


@pytest.mark.parametrize(("free", "outcome"), [(10**8, "missing"), (10**9, "warning"), (10**10, "ok")])
def test_little_disk_space_is_a_warning_before_it_stops_a_run(tmp_path: Path, free: int, outcome: str) -> None:
    assert machine.disk(Settings(home=tmp_path), free).outcome == outcome


def test_a_changed_declaration_is_a_warning_and_an_invalid_declaration_stops_a_run(tmp_path: Path) -> None:
    declared = tmp_path / "tone.py"
    declared.write_text(
        "from hnintel.enrich.declaration import Column, Enrichment\n"
        "enrichment = Enrichment(__name__, doc='Tone.', version=1, call='AI_CLASSIFY({{ input }}, {{ labels }})',\n"
        "    columns=(Column('tone', str, 'Tone.', one_of={'good': 'g', 'bad': 'b'}, path='labels[0]'),))\n"
    )
    settings = Settings(enrichments_path=tmp_path)
    found = machine.enrichments(settings)
    assert (found.outcome, found.mends) == ("warning", ("python -m hnintel gen",))
    declared.write_text("enrichment =")
    assert machine.enrichments(settings).outcome == "missing"


def test_a_model_without_a_price_is_reported(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert machine.prices(settings, [("AI_CLASSIFY", "offline-1")]).detail == "no question costs anything"
    assert machine.prices(settings, [("AI_CLASSIFY", "cortex")]).outcome == "ok"
    found = machine.prices(settings, [("AI_COMPLETE", "no-such-model")])
    assert found.outcome == "missing"
    assert "no-such-model" in found.detail


def test_a_project_that_dbt_cannot_parse_is_reported_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: [\n")
    monkeypatch.setattr("hnintel.doctor.machine.transform.PROJECT", tmp_path)
    found = machine.dbt(Settings(home=tmp_path / "home"))
    assert found.outcome == "missing"
    assert found.detail.startswith("dbt cannot parse it: ")
    assert "\n" not in found.detail


def test_without_an_api_url_a_run_starts_its_own_server() -> None:
    assert machine.prefect(None).outcome == machine.prefect("").outcome == "ok"


@pytest.mark.parametrize(
    ("url", "outcome"),
    [
        ("127.0.0.1:4200/api", "missing"),
        ("http://127.0.0.1:4200", "missing"),
        ("https://api.prefect.cloud/api/accounts/1/workspaces/2", "ok"),
    ],
)
def test_an_api_url_must_end_in_api(url: str, outcome: str) -> None:
    assert machine.prefect(url).outcome == outcome


def test_the_health_of_a_prefect_server_is_checked() -> None:
    with answering({"/api/health": (200, "true")}) as url:
        assert machine.prefect(f"{url}/api").outcome == "ok"
    with answering({}) as url:
        assert "HTTP 404" in machine.prefect(f"{url}/api/").detail
    found = machine.prefect(f"{url}/api")
    port = url.rpartition(":")[2]
    assert (found.outcome, found.mends) == ("missing", (f"prefect server start --port {port}",))
    assert f"{url}/api does not answer" in found.detail


@pytest.mark.parametrize(
    ("url", "mend"),
    [
        ("http://127.0.0.1:9/api", "prefect server start --port 9"),
        ("http://nobody.invalid:4200/api", "start the server at nobody.invalid, or unset PREFECT_API_URL"),
    ],
)
def test_what_mends_an_api_names_the_address_that_is_set_and_no_password(url: str, mend: str) -> None:
    found = machine.prefect(url.replace("http://", "http://someone:secret@"))
    assert found.mends == (mend,)
    assert url in found.detail
    assert "secret" not in found.detail + mend


@pytest.mark.parametrize("given", ["garbage", "http://", "http://[x", "http://127.0.0.1:99999/api"])
def test_an_invalid_api_url_is_reported(given: str) -> None:
    assert machine.prefect(given).detail == "PREFECT_API_URL is not a URL: set it to one like http://127.0.0.1:4200/api"


# --- the embedded warehouse -------------------------------------------------------------------------------------------


def test_a_missing_warehouse_file_passes_and_is_not_created(tmp_path: Path) -> None:
    path = tmp_path / "home" / "hn.duckdb"
    assert embedded.warehouse_file(path).outcome == embedded.schema_version(path).outcome == "ok"
    assert list(tmp_path.iterdir()) == []


def test_the_warehouse_of_a_run_opens_and_has_the_version_of_this_code(tmp_path: Path) -> None:
    path = tmp_path / "hn.duckdb"
    made(path)
    assert embedded.warehouse_file(path).outcome == "ok"
    assert embedded.schema_version(path).detail == str(NEWEST)


def test_an_older_warehouse_is_not_changed_and_the_next_run_migrates_it(tmp_path: Path) -> None:
    path = tmp_path / "hn.duckdb"
    made(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"DELETE FROM ops.schema_versions WHERE version = {NEWEST}")
    assert embedded.schema_version(path).detail == f"{BEFORE}; the next run migrates it to {NEWEST}"
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("SELECT max(version) FROM ops.schema_versions").fetchone() == (BEFORE,)


def test_a_warehouse_of_newer_code_stops_a_run(tmp_path: Path) -> None:
    path = tmp_path / "hn.duckdb"
    made(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"INSERT INTO ops.schema_versions VALUES ({NEWEST + 1}, 'later', now()::TIMESTAMP)")
    found = embedded.schema_version(path)
    assert (found.outcome, found.detail) == ("missing", f"{NEWEST + 1}, and this code knows {NEWEST}: update the code")


def test_a_file_of_another_format_is_reported_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "hn.duckdb"
    path.write_text("no database")
    found = embedded.warehouse_file(path)
    assert (found.outcome, found.mends) == ("missing", (f"mv {path} {path}.broken",))
    assert path.read_text() == "no database"
    assert embedded.schema_version(path).outcome == "skipped"


def test_a_sqlite_file_is_reported_as_not_a_warehouse(tmp_path: Path) -> None:
    path = tmp_path / "hn.duckdb"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE mine (a)")
    assert embedded.warehouse_file(path).detail == f"{path} cannot be opened (it is not a DuckDB file)"
    assert embedded.schema_version(path).outcome == "skipped"


def test_a_dangling_link_and_a_fifo_are_reported_and_not_opened(tmp_path: Path) -> None:
    link, fifo = tmp_path / "link.duckdb", tmp_path / "fifo.duckdb"
    link.symlink_to(tmp_path / "gone.duckdb")
    os.mkfifo(fifo)
    for path, told in ((link, "is a link to"), (fifo, "is a FIFO")):
        found = embedded.warehouse_file(path)
        assert (found.outcome, told in found.detail) == ("missing", True)
        assert embedded.schema_version(path).outcome == "skipped"


def test_a_file_locked_by_another_process_is_a_warning_that_names_the_process(tmp_path: Path) -> None:
    path = tmp_path / "hn.duckdb"
    made(path)
    code = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        found = embedded.warehouse_file(path)
        assert holder.stdin is not None
        holder.stdin.close()
    assert found.outcome == "warning"
    assert f"is held by process {holder.pid}" in found.detail


def test_the_offline_engine_answers() -> None:
    found = embedded.engine(Settings(), ask=False)
    assert found.outcome == "ok"
    assert found.detail.startswith("offline-")


def endpoint(url: str, **given: Any) -> Settings:
    """Return the settings of an endpoint."""
    return Settings(
        engine="openai", openai_base_url=f"{url}/v1", openai_model="small-rules", openai_attempts=1, **given
    )


def test_only_the_models_of_an_endpoint_are_requested() -> None:
    with answering(listing("small-rules", "other")) as url:
        assert embedded.engine(endpoint(url), ask=False).detail == f"{url}/v1 lists small-rules"


def test_a_model_that_the_endpoint_lacks_is_reported_with_its_models() -> None:
    with answering(listing("a", "b")) as url:
        found = embedded.engine(endpoint(url), ask=False)
    assert (found.outcome, found.detail) == ("missing", f"{url}/v1 does not list small-rules; it lists a, b")


def test_an_endpoint_without_a_list_of_models_is_a_warning_that_names_ask() -> None:
    with answering({}) as url:
        found = embedded.engine(endpoint(url), ask=False)
    assert (found.outcome, "--ask" in found.detail) == ("warning", True)


def test_a_key_is_sent_if_set_and_a_refused_login_names_its_setting() -> None:
    with answering(listing("small-rules"), key="k3y") as url:
        assert embedded.engine(endpoint(url, openai_api_key="k3y"), ask=False).outcome == "ok"
        found = embedded.engine(endpoint(url), ask=False)
    assert found.mends == ("export HNINTEL_OPENAI_API_KEY=<key>",)
    assert "k3y" not in str(found)


def test_an_unreachable_endpoint_is_reported_with_and_without_ask() -> None:
    settings = endpoint(closed_port())
    assert embedded.engine(settings, ask=False).outcome == "missing"
    assert embedded.engine(settings, ask=True).outcome == "missing"


def test_with_ask_one_question_is_sent_to_the_endpoint() -> None:
    with ChatServer(Mood()) as server:
        found = embedded.engine(endpoint(server.base_url.removesuffix("/v1")), ask=True)
        assert len(server.asked) == 1
    assert (found.outcome, found.detail) == ("ok", f"small-rules at {server.base_url} answers")


def test_an_engine_without_a_model_is_reported_with_the_setting_it_needs() -> None:
    found = embedded.engine(Settings(engine="openai"), ask=False)
    assert found.outcome == "missing"
    assert "HNINTEL_OPENAI_MODEL" in found.detail
