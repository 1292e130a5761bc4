"""How long Prefect's own database keeps the records of runs that are over, and their end where no service does it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from tasks.prefect_private import delete_flow_runs

_log = logging.getLogger(__name__)
#: The most runs that the API deletes in a call.
_PAGE = 50
#: Pages a run deletes at most before it begins, so that a database with years in it delays none by much.
_PAGES = 4
_OVER = ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]


def retention(days: int) -> dict[str, str]:
    """Settings of a Prefect server whose own service deletes old runs, with their tasks, logs and artifacts.

    Args:
        days: the days for which a finished run is kept, counted from its end.
    """
    return {
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(int(timedelta(days=days).total_seconds())),
    }


def prune(days: int, now: datetime | None = None) -> int:
    """Delete runs that ended more than *days* ago from the server that Prefect's settings name; how many.

    For a server that lives as long as one run: the service behind `retention` is not among those it has. Deletes a
    bounded number, the rest next time; runs that were started by those follow next time too. A server that does not
    answer is no reason to fail: what is old stays.
    """
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.exceptions import PrefectHTTPStatusError

    before = ((now or datetime.now(UTC)) - timedelta(days=days)).isoformat()
    old = {
        "end_time": {"before_": before},
        "state": {"type": {"any_": _OVER}},
        "parent_task_run_id": {"is_null_": True},
    }
    deleted = 0
    try:
        with get_client(sync_client=True) as client:
            for _ in range(_PAGES):
                page = delete_flow_runs(client, old, _PAGE)
                deleted += page
                if page < _PAGE:
                    break
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        _log.warning("old runs were not deleted from Prefect's database: %s", type(error).__name__)
    return deleted
