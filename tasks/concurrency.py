"""Turns at what all runs of a server share: Hacker News, and the models. Taken a chunk at a time, 50 ms each.

``deployments/provision.py`` makes the limits; their size may be changed in Prefect's UI while runs go on. A run that no
worker started is alone with its own server, and takes no turns.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from prefect.concurrency.sync import concurrency

from hnintel.errors import WarehouseBusy
from hnintel.process import progress, stopping
from tasks.prefect_private import is_started_by_worker

HACKER_NEWS, AI = "hacker-news", "hn-ai"
#: Seconds after which a wait is spoken of and may end, and after which it ends in any case.
_LOOKS, _LONGEST = 5.0, 6 * 3600.0


@contextmanager
def turn(limit: str) -> Iterator[None]:
    """Hold a slot of *limit* for the length of the block.

    A process that dies gives its slot back when its lease ends. Where the limit is not there it holds nobody up.

    Raises:
        Stopped: the run was to end while it waited.
        WarehouseBusy: no slot was free for six hours.
    """
    if not is_started_by_worker():
        yield
        return
    with ExitStack() as held:
        deadline = time.monotonic() + _LONGEST
        while True:
            stopping.refuse()
            try:
                held.enter_context(concurrency(limit, timeout_seconds=_LOOKS))
                break
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise WarehouseBusy(
                        f"no place of the limit {limit} was free for {_LONGEST / 3600:g} h: raise it in Prefect's UI"
                    ) from None
                progress.update(f"limit {limit}", 0, note="all its places are taken by other runs, so this one waits")
        yield
