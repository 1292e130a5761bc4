"""The service that the tests of a file talk to: one for all of them, since bringing it up takes a minute."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deploy.service import Service, running_service


@pytest.fixture(scope="module")  # it goes on polling and running what is scheduled, beside all that follows
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The whole of it, up and running, as ``make serve`` has it: one server, on SQLite."""
    with running_service(tmp_path_factory.mktemp("service"), [["server", "start", "--no-ui"]]) as service:
        yield service
