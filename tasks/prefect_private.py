"""What we need of Prefect that is not in its public interface: one function for each such name.

No other module of `flows`, `tasks` or `deployments` uses one, but for two that cannot: `tasks.dbt_runner`, which loads
dbt, and `flows.local.guarded_server`, which runs where this project is not installed. For each name a test in
tests/flows/test_prefect_private.py says that it is gone, or behaves otherwise, when the version moves. Prefect is
imported inside the functions: a command calls some of them before Prefect may read its settings.
"""

from __future__ import annotations

import multiprocessing.util
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.blocks.core import Block
    from prefect.client.orchestration import SyncPrefectClient

#: What a worker sets in the environment of the process that it starts for a run.
_RUN_OF_A_WORKER = "PREFECT__FLOW_RUN_ID"


def is_started_by_worker() -> bool:
    """Whether a worker started this process for a flow run. `prefect.runtime` does not say so inside of the run."""
    return _RUN_OF_A_WORKER in os.environ


def ephemeral_server_settings() -> dict[str, str]:
    """Environment of a server that lives as long as one run.

    Prefect sets the same for the servers that it starts by itself: no services that a single run does not need, and an
    app that is not built a second time. There is no setting for either.
    """
    return {"PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}


def drain_events(timeout: float) -> None:
    """Send the events that this process still holds, within *timeout* seconds; to be called outside of an event loop.

    Prefect sends them in a thread of its own, and its public interface has no way to wait for the last of them.
    """
    from prefect.events.worker import EventsWorker

    EventsWorker.drain_all(timeout=timeout)


def stop_client_retries() -> None:
    """Have Prefect's clients of this process give up at once: for each request they would try for a minute.

    The settings that are in force are altered in place: those of a new context would not reach other threads.
    """
    from prefect.settings import get_current_settings

    get_current_settings().client.max_retries = 0


def delete_flow_runs(client: SyncPrefectClient, flow_runs: dict[str, Any], limit: int) -> int:
    """Delete at most *limit* runs that the filter *flow_runs* matches; how many. The client has no method for it.

    Raises:
        httpx.HTTPError: the server does not answer.
        prefect.exceptions.PrefectHTTPStatusError: it refuses.
    """
    asked = {"flow_runs": flow_runs, "limit": limit}
    # The client's list of its own paths lacks this one.
    answer = client.request("POST", "/flow_runs/bulk_delete", json=asked)  # type: ignore[arg-type]
    return len(answer.json()["deleted"])


def block_id(block: Block) -> UUID | None:
    """The id of the document that *block* was loaded from; None where it was not saved. An action names it."""
    return block._block_document_id


def apprise_targets(block: Block) -> list[object] | None:
    """What *block* sends by, as Apprise understood its URL; None where the block sends without Apprise.

    A block takes what Apprise cannot send to without an error, so that nobody would be alerted.
    """
    client = getattr(block, "_apprise_client", None)
    return None if client is None else list(client)


def run_exit_finalizers() -> None:
    """Free what :mod:`multiprocessing` frees as the interpreter exits, such as the semaphores that dbt took.

    For a process that ends by `os._exit`, where nothing registered for the exit runs. It is Python's, not Prefect's.
    """
    multiprocessing.util._run_finalizers()  # type: ignore[attr-defined]  # private: typeshed does not list it
