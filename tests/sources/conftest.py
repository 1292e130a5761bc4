"""A loopback server for the tests of sources, and settings that read from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from hnintel.settings import Settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.base import Warehouse
from tests.servers import LoopbackServer

#: What a test waits for an answer, in seconds: short where there are servers that hang, else as long as it may take.
HURRY, PATIENCE = 0.4, 30.0

Serve = Callable[..., LoopbackServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a LoopbackServer for the length of the test: ``serve(world, weather, ...)``."""
    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(LoopbackServer(*args, **kwargs))


@pytest.fixture
def settings_for(tmp_path: Path) -> Callable[..., Settings]:
    """Settings that read from a server, and write below a folder of the test's own."""

    def made(server: LoopbackServer, **overrides: Any) -> Settings:
        standing = {
            "home": tmp_path / "home",
            "firebase_url": server.firebase_url,
            "algolia_url": server.algolia_url,
            "item_timeout": HURRY if server.weather.may_hang else PATIENCE,
        }
        return Settings(**{**standing, **overrides})

    return made


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """An embedded warehouse of the test's own."""
    return open_warehouse(Settings(home=tmp_path / "home"))
