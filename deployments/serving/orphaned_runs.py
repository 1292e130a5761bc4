"""Cancels the records of runs that ended with their worker; otherwise they would stay "running" for ever."""

from __future__ import annotations

from typing import Any

import httpx

_AT_ONCE = 200
_GOING_ON = {"type": {"any_": ["RUNNING", "PENDING", "CANCELLING"]}}
_STATE = {"type": "CANCELLED", "name": "Cancelled"}


def close(client: httpx.Client, pool: str, why: str) -> int:
    """Cancel the runs that a work pool had started, with their subflow runs; return the number of runs.

    Args:
        client: a client of the server's API.
        pool: the work pool's name.
        why: a sentence for the reader of a record.

    Raises:
        httpx.HTTPError: the server does not answer, or refuses.
    """
    level = _going_on(client, work_pools={"name": {"any_": [pool]}})
    run_ids = dict.fromkeys(level)
    while level:  # a deployed run may be a child of another run: it is found twice
        level = _going_on(client, parent_flow_run_id={"any_": level})
        run_ids |= dict.fromkeys(level)
    for run_id in reversed(run_ids):  # children end before their parents
        sent = {"state": {**_STATE, "message": why}, "force": True}
        client.post(f"/flow_runs/{run_id}/set_state", json=sent).raise_for_status()
    return len(run_ids)


def _going_on(client: httpx.Client, work_pools: dict[str, Any] | None = None, **runs: Any) -> list[str]:
    """Return the ids of all runs that are recorded as unfinished, read page by page."""
    run_ids: list[str] = []
    query = {"flow_runs": {"state": _GOING_ON, **runs}, "work_pools": work_pools, "limit": _AT_ONCE, "sort": "ID_DESC"}
    while True:
        answer = client.post("/flow_runs/filter", json={**query, "offset": len(run_ids)}).raise_for_status()
        run_ids += (page := [run["id"] for run in answer.json()])
        if len(page) < _AT_ONCE:
            return run_ids
