"""The service that the tests of a file share, since starting it takes a minute."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.service import Service, running_service


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as ``long`` the tests that a module repeats from another, except their representatives."""
    for item in items:
        representatives = getattr(getattr(item, "module", None), "REPRESENTATIVES", None)
        if representatives and item.path.parent == Path(__file__).parent and item.name not in representatives:
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="module")  # it goes on polling and running what is scheduled, beside all that follows
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The running service as ``make serve`` starts it: a server on SQLite."""
    with running_service(tmp_path_factory.mktemp("service"), [["server", "start", "--no-ui"]]) as service:
        yield service
