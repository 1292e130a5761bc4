"""Turns at what all runs of a server share: Hacker News, and the models. Taken a chunk at a time, 50 ms each.

``deployments/provision.py`` makes the limits; their size may be changed in Prefect's UI while runs go on. A run that no
worker started is alone with its own server, and takes no turns.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from prefect.concurrency.sync import concurrency

HACKER_NEWS, AI = "hacker-news", "hn-ai"
#: What a worker sets for the process of a run.
_OF_A_WORKER = "PREFECT__FLOW_RUN_ID"


@contextmanager
def turn(limit: str) -> Iterator[None]:
    """Hold a slot of *limit* for the length of the block, waiting for it as long as it takes.

    A process that dies gives its slot back when its lease ends. Where the limit is not there it holds nobody up.
    """
    if _OF_A_WORKER not in os.environ:
        yield
        return
    with concurrency(limit):
        yield
