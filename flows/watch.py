"""Poll Hacker News and a folder of dumps, and announce each new story and file once.

The cursor is a Prefect Variable, not in the warehouse: the poller must never wait for a file that a run has open.
``python flows/watch.py`` polls once. Deployed as ``flows/watch.py:watch``.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    from flows.local.day import leave
    from flows.local.watch import main_watch

    leave(main_watch(sys.argv[1:]))

from datetime import UTC, datetime
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed
from prefect.variables import Variable

from hnintel.ingest.poller import Cursor, poll
from hnintel.settings import load_settings
from tasks.events import FAILURE_ANNOUNCED, as_prefect, send

#: The Prefect Variable of the cursor.
CURSOR = "hn_watch_cursor"


@flow(name="watch", flow_run_name="watch", **FAILURE_ANNOUNCED)
async def watch() -> State[dict[str, Any]]:
    """Poll once, announce what is new, then store the cursor; a poll with nothing new ends as ``Skipped``.

    The state's message lists what was announced, and what was skipped and why.
    After a crash between announcing and storing, the same events are announced again, with the same ids.
    """
    settings = load_settings()
    cursor = Cursor.parse(await Variable.aget(CURSOR, default={}))
    polled = await poll(cursor, settings, datetime.now(UTC))
    await send([as_prefect(event) for event in polled.events])
    await Variable.aset(CURSOR, polled.cursor.model_dump(mode="json"), overwrite=True)
    for why in polled.skipped:
        get_run_logger().info(why)
    announced = [f"{event.name} {event.resource_id}" for event in polled.events]
    return Completed(
        name="Completed" if announced else "Skipped",
        message="; ".join([*announced, *polled.skipped]),
        data={"told": announced, "skipped": polled.skipped, "unreachable": polled.unreachable},
    )
