"""Uses of Prefect's private names: one function for each name.

No other module of `flows`, `tasks` or `deployments` uses a private name, except `tasks.dbt_runner`, which loads
dbt, and `flows.local.guarded_server`, which runs where this project is not installed. A test per name in
tests/flows/test_prefect_private.py fails when a new version removes or changes it. Prefect is
imported inside the functions: a command calls some of them before Prefect may load its settings.
"""

from __future__ import annotations

import multiprocessing.util
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.blocks.core import Block
    from prefect.client.orchestration import SyncPrefectClient

#: The variable that a worker sets in the process that it starts for a run.
_RUN_OF_A_WORKER = "PREFECT__FLOW_RUN_ID"


def is_started_by_worker() -> bool:
    """Whether a worker started this process for a flow run. `prefect.runtime` does not show it inside the run."""
    return _RUN_OF_A_WORKER in os.environ


def ephemeral_server_settings() -> dict[str, str]:
    """Return the environment of a server that serves one run.

    Prefect sets the same for servers that it starts itself: no services that a single run does not need, and the app
    is not built twice. No public setting does either.
    """
    return {"PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}


def drain_events(timeout: float) -> None:
    """Send the events queued in this process, within *timeout* seconds; call it outside of an event loop.

    Prefect sends them in a thread, and its public interface cannot wait for the last event.
    """
    from prefect.events.worker import EventsWorker

    EventsWorker.drain_all(timeout=timeout)


def stop_client_retries() -> None:
    """Make Prefect's clients in this process give up at once: by default they retry each request for a minute.

    The current settings are changed in place: a new settings context would not reach other threads.
    """
    from prefect.settings import get_current_settings

    get_current_settings().client.max_retries = 0


def delete_flow_runs(client: SyncPrefectClient, flow_runs: dict[str, Any], limit: int) -> int:
    """Delete at most *limit* runs that match the filter *flow_runs*; return how many. The client has no method for it.

    Raises:
        httpx.HTTPError: the server does not answer.
        prefect.exceptions.PrefectHTTPStatusError: the server refuses.
    """
    body = {"flow_runs": flow_runs, "limit": limit}
    # The client's typed list of paths lacks this path.
    answer = client.request("POST", "/flow_runs/bulk_delete", json=body)  # type: ignore[arg-type]
    return len(answer.json()["deleted"])


def block_id(block: Block) -> UUID | None:
    """Return the id of the document of *block*, which an action names; None where the block was not saved."""
    return block._block_document_id


def apprise_targets(block: Block) -> list[object] | None:
    """Return the targets that Apprise parsed from the URL of *block*; None where the block does not use Apprise.

    A block accepts a URL that Apprise cannot send to without an error, so that nobody would be alerted.
    """
    client = getattr(block, "_apprise_client", None)
    return None if client is None else list(client)


def run_exit_finalizers() -> None:
    """Free what :mod:`multiprocessing` frees as the interpreter exits, such as dbt's semaphores.

    For a process that ends by `os._exit`, which skips exit handlers. The private name is Python's, not Prefect's.
    """
    multiprocessing.util._run_finalizers()  # type: ignore[attr-defined]  # private: typeshed does not list it
