"""Records of runs that were ended with their worker: nobody else closes them, and they would "run" for ever."""

from __future__ import annotations

from typing import Any

import httpx

_AT_ONCE = 200
_GOING_ON = {"type": {"any_": ["RUNNING", "PENDING", "CANCELLING"]}}
_STATE = {"type": "CANCELLED", "name": "Cancelled"}


def close(client: httpx.Client, pool: str, why: str) -> int:
    """Cancel what a work pool had started and is not running any more, with all that it has below it; how many runs.

    Args:
        client: of the server's API.
        pool: the work pool's name.
        why: a sentence, for who looks at a record.

    Raises:
        httpx.HTTPError: the server does not answer, or refuses.
    """
    level = _going_on(client, work_pools={"name": {"any_": [pool]}})
    found = dict.fromkeys(level)
    while level:  # a run that was deployed may have been started by another: it is found twice
        level = _going_on(client, parent_flow_run_id={"any_": level})
        found |= dict.fromkeys(level)
    for run_id in reversed(found):  # what is below comes to its end before what has started it
        sent = {"state": {**_STATE, "message": why}, "force": True}
        client.post(f"/flow_runs/{run_id}/set_state", json=sent).raise_for_status()
    return len(found)


def _going_on(client: httpx.Client, work_pools: dict[str, Any] | None = None, **runs: Any) -> list[str]:
    """The ids of all runs that are said to go on, a page at a time."""
    found: list[str] = []
    asked = {"flow_runs": {"state": _GOING_ON, **runs}, "work_pools": work_pools, "limit": _AT_ONCE, "sort": "ID_DESC"}
    while True:
        answer = client.post("/flow_runs/filter", json={**asked, "offset": len(found)}).raise_for_status()
        found += (page := [one["id"] for one in answer.json()])
        if len(page) < _AT_ONCE:
            return found
