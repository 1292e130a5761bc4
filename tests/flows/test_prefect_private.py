"""Each private name of Prefect and prefect-dbt that we use exists and does what we rely on.

A test that fails here after an upgrade names what the new version has otherwise; what is to be altered for it is in
tasks/prefect_private.py, tasks/dbt_runner.py or flows/local/guarded_server.py.
"""

from __future__ import annotations

import ast
import inspect
import multiprocessing.util
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect import flow, runtime
from prefect.blocks.notifications import CustomWebhookNotificationBlock, MattermostWebhook
from prefect.blocks.system import Secret
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.context import FlowRunContext, SettingsContext, hydrated_context, serialize_context
from prefect.events import emit_event
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.events.worker import EventsWorker
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from tasks import prefect_private
from tests.conftest import ROOT

#: Modules that may use a name that is not public of a package that is not ours.
PRIVATE = {
    "tasks/prefect_private.py",
    "tasks/dbt_runner.py",
    "hnintel/engines/openai/private.py",
    "hnintel/web/httpx_private.py",
}
#: Public for all their underscore: a named tuple's method, an argument that Prefect documents, a type's only name.
PUBLIC = {"_replace", "_sync", "_Decompress", "_exit"}


def test_a_process_of_a_worker_has_the_id_of_its_run_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT__FLOW_RUN_ID", raising=False)
    assert not prefect_private.is_started_by_worker()
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", run := str(uuid4()))
    assert prefect_private.is_started_by_worker()
    assert runtime.flow_run.id == run, "Prefect reads PREFECT__FLOW_RUN_ID no more"


def test_prefects_app_reads_the_settings_of_a_server_for_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.server.api.server import create_app  # loads the whole server

    read: list[str] = []
    getenv = os.getenv
    monkeypatch.setattr(os, "getenv", lambda name, *default: (read.append(name), getenv(name, *default))[1])
    create_app(ignore_cache=True)
    assert prefect_private.ephemeral_server_settings().keys() <= set(read)


def test_prefects_app_is_made_by_a_function_that_takes_what_our_server_gives() -> None:
    from prefect.server.api.server import create_app

    parameters = inspect.signature(create_app).parameters
    assert parameters.keys() >= {"final", "webserver_only"}


def test_events_that_wait_in_this_process_are_sent(prefect_server: None) -> None:
    name = f"hn.drained.{uuid4()}"
    worker = EventsWorker.instance()
    emit_event(name, {"prefect.resource.id": "hn.test"})
    prefect_private.drain_events(timeout=30)
    assert EventsWorker.instance() is not worker, "EventsWorker.drain_all has left the worker as it was"
    asked = EventFilter(event=EventNameFilter(name=[name]))
    with get_client(sync_client=True) as client:
        for _ in range(100):
            if client.read_events(filter=asked, limit=1).events:
                return
            time.sleep(0.1)
    raise AssertionError("an event that was drained is not at the server")


def test_without_retries_a_client_asks_once() -> None:
    with _failing_server() as (url, requests), temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 3}):
        prefect_private.stop_client_retries()
        with SyncPrefectClient(url) as client, pytest.raises(PrefectHTTPStatusError):
            client.request("GET", "/flow_runs/filter")  # type: ignore[arg-type]
    assert requests == ["/api/flow_runs/filter"]


def test_runs_are_deleted_by_a_filter(prefect_server: None) -> None:
    @flow
    def over() -> str:
        return str(runtime.flow_run.id)

    runs = [over(), over()]
    with get_client(sync_client=True) as client:
        assert prefect_private.delete_flow_runs(client, {"id": {"any_": runs}}, limit=1) == 1
        assert prefect_private.delete_flow_runs(client, {"id": {"any_": runs}}, limit=50) == 1
        for run in runs:
            with pytest.raises(ObjectNotFound):
                client.read_flow_run(run)


def test_a_block_knows_the_id_of_its_document(prefect_server: None) -> None:
    block = Secret(value="none")
    assert prefect_private.block_id(block) is None
    saved = block.save(name := f"private-{uuid4().hex}")
    assert prefect_private.block_id(Secret.load(name)) == saved  # type: ignore[arg-type]  # no coroutine here


def test_a_block_knows_what_apprise_makes_of_its_url() -> None:
    readable = MattermostWebhook(hostname="chat.example.com", token="abcdefghijklmnopqrstuvwxyz", channels=["alerts"])
    (target,) = prefect_private.apprise_targets(readable) or []
    assert type(target).__name__ == "NotifyMattermost"
    own = CustomWebhookNotificationBlock(name="own", url="https://example.com/hook")
    assert prefect_private.apprise_targets(own) is None


def test_what_multiprocessing_frees_at_the_exit_is_freed_without_one() -> None:
    freed: list[int] = []
    multiprocessing.util.Finalize(None, freed.append, (1,), exitpriority=10)
    prefect_private.run_exit_finalizers()
    assert freed == [1]


def test_dbts_nodes_get_the_flows_settings_and_result_store_as_they_are(
    prefect_server: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect_dbt import PrefectDbtRunner  # loads dbt, for seconds

    from tasks.dbt_runner import DbtRunner

    assert "_create_unified_callback(" in inspect.getsource(PrefectDbtRunner.invoke), "invoke calls another name"
    parameters = list(inspect.signature(PrefectDbtRunner._create_unified_callback).parameters)
    assert parameters[:4] == ["self", "task_state", "log_level", "context"]
    given: list[dict[str, Any]] = []
    monkeypatch.setattr(
        PrefectDbtRunner, "_create_unified_callback", lambda self, state, level, context, **more: given.append(context)
    )

    @flow
    def building() -> tuple[bool, bool]:
        DbtRunner._create_unified_callback(
            object.__new__(DbtRunner), None, None, serialize_context(), add_test_edges=True
        )
        store, settings = FlowRunContext.get().result_store, SettingsContext.get().settings  # type: ignore[union-attr]
        with hydrated_context(given[0]):  # as a node's task run does
            held = FlowRunContext.get(), SettingsContext.get()
            return held[0].result_store is store, held[1].settings is settings  # type: ignore[union-attr]

    assert building() == (True, True)


def test_private_names_of_other_packages_are_used_in_the_files_for_them_only() -> None:
    paths = [path for folder in ("hnintel", "tasks", "flows", "deployments") for path in (ROOT / folder).rglob("*.py")]
    assert len(paths) > 200
    assert [use for path in paths for use in _private_names(path) if _module(path) not in PRIVATE] == []
    assert all(any(_private_names(ROOT / module)) for module in PRIVATE)


def _module(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _private_names(path: Path) -> Iterator[str]:
    """Return the places where *path* uses private names of other packages."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                continue
            case ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                private = name.startswith("_") and not name.startswith("__") and name not in PUBLIC
            case ast.Constant(value=str(name)):
                private = name.startswith("PREFECT__")
            case ast.ImportFrom(module=str(name)):
                private = "._" in name or (name.startswith("_") and name != "__future__")
            case _:
                continue
        if private:
            yield f"{_module(path)}:{getattr(node, 'lineno', 0)} uses {name}"


@contextmanager
def _failing_server() -> Iterator[tuple[str, list[str]]]:
    """The address of an API that is not available, and the paths that it was asked for."""
    requests: list[str] = []

    class Unavailable(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Unavailable) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api", requests
        server.shutdown()
        thread.join()
