"""The tests of deployments on Postgres and Redis, with separate processes for services, as in compose.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.deploy.service import Service, running_service
from tests.deploy.stores import NotInstalled, postgres_and_redis
from tests.deploy.test_deployed import *  # noqa: F403 - the same tests, on the fixture below

pytestmark = pytest.mark.slow

#: As compose.yaml starts them.
_SERVERS = [["server", "start", "--no-services", "--no-ui"], ["server", "services", "start"]]

#: What takes all of it, from an event on its way through Redis to a run that Postgres has. The others are ``long``:
#: test_deployed.py shows what is deployed.
REPRESENTATIVES = {
    "test_a_requested_day_is_run_and_a_failed_run_reaches_the_webhook",
    "test_stages_follow_each_other_by_events_each_once",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server for production on one machine."""
    with ExitStack() as stack:
        try:
            stores = stack.enter_context(postgres_and_redis())
        except NotInstalled as error:
            pytest.skip(str(error))
        yield stack.enter_context(running_service(tmp_path_factory.mktemp("service"), _SERVERS, stores))
