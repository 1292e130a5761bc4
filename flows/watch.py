"""The poller: asks Hacker News, and a folder of dumps, what is new, and announces each thing once.

Its cursor lies in a Prefect Variable, not in the warehouse: it must never wait for a file that a run holds.
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
from tasks.events import FAILURE_TOLD, as_prefect, send

#: The Prefect Variable of the cursor.
CURSOR = "hn_watch_cursor"


@flow(name="watch", flow_run_name="watch", **FAILURE_TOLD)
async def watch() -> State[dict[str, Any]]:
    """Poll once, announce what is new, then keep the cursor; a poll with nothing new ends as ``Skipped``.

    What was announced, and what was left out and why, is the message of its state.
    A crash between the two has the same events announced again, with the same ids.
    """
    settings = load_settings()
    cursor = Cursor.parse(await Variable.aget(CURSOR, default={}))
    polled = await poll(cursor, settings, datetime.now(UTC))
    await send([as_prefect(event) for event in polled.events])
    await Variable.aset(CURSOR, polled.cursor.model_dump(mode="json"), overwrite=True)
    for why in polled.skipped:
        get_run_logger().info(why)
    told = [f"{event.name} {event.resource_id}" for event in polled.events]
    return Completed(
        name="Completed" if told else "Skipped",
        message="; ".join([*told, *polled.skipped]),
        data={"told": told, "skipped": polled.skipped},
    )
