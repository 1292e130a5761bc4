"""Slots for what all runs of a server share: Hacker News, and the models. A slot per chunk; each costs 50 ms.

``deployments/provision.py`` creates the limits; their size can be changed in Prefect's UI during runs. A run that no
worker started has its own server and needs no slots.
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
#: Seconds after which a wait is reported and may be stopped, and after which it fails.
_LOOKS, _LONGEST = 5.0, 6 * 3600.0


@contextmanager
def turn(limit: str) -> Iterator[None]:
    """Occupy a slot of *limit* during the block.

    The slot of a process that died is freed when its lease ends. A limit that does not exist blocks nobody.

    Raises:
        Stopped: the run was stopped while it waited.
        WarehouseBusy: no slot was free for six hours.
    """
    if not is_started_by_worker():
        yield
        return
    with ExitStack() as stack:
        deadline = time.monotonic() + _LONGEST
        while True:
            stopping.refuse()
            try:
                stack.enter_context(concurrency(limit, timeout_seconds=_LOOKS))
                break
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise WarehouseBusy(
                        f"no slot of the limit {limit} was free for {_LONGEST / 3600:g} h: raise it in Prefect's UI"
                    ) from None
                progress.update(f"limit {limit}", 0, note="waiting: other runs have all its slots")
        yield
