"""What the security corpora are read with, and the count of connections, taken at the socket."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hnintel.web.extraction_pool import ExtractionPool


class Connections:
    """Every address that this process connects a socket to while it is counting, whatever code does it."""

    def __init__(self) -> None:
        self.counting = False
        self.seen: list[tuple[str, int]] = []

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if self.counting and event == "socket.connect" and isinstance(args[1], tuple):
            self.seen.append(args[1][:2])

    def private(self, but: int | None = None) -> list[tuple[str, int]]:
        """Those that were not public, by Python's own table and not by ours; *but* is a port of the test's own."""
        return [one for one in self.seen if not ipaddress.ip_address(one[0]).is_global and one[1] != but]


_connections = Connections()
sys.addaudithook(_connections)  # a hook cannot be taken out again, so there is one, and it is told when to count


@pytest.fixture
def connections() -> Iterator[Connections]:
    """Counts the connections of the test."""
    _connections.seen, _connections.counting = [], True
    yield _connections
    _connections.counting = False


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractionPool]:
    """Two processes that read pages, three seconds each at most."""
    made = ExtractionPool(2, 3.0)
    yield made
    made.close()


@pytest.fixture(scope="session")
def corpora(test_data: Path) -> Path:
    """The folder of the security corpora."""
    return test_data / "security"
