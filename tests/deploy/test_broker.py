"""Events on their way through Redis, with the settings of compose.yaml: each must arrive, or a task "runs" for ever."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from tests.deploy.stores import NotInstalled, redis_alone

pytestmark = pytest.mark.slow

_EVENTS = 3000
#: The timer of a connection goes that much faster than it is set, so that it meets an event within the test.
_FASTER = 10_000


async def arrived() -> int:
    """Count the events of a connection that arrive."""
    from prefect_redis.client import get_async_redis_client
    from prefect_redis.messaging import Cache, Publisher, RedisMessagingPublisherSettings

    topic, every = f"test-{uuid.uuid4()}", RedisMessagingPublisherSettings().publish_every / _FASTER
    async with Publisher(topic, Cache(), deduplicate_by="id", publish_every=every) as publisher:
        for number in range(_EVENTS):
            await publisher.publish_data(b"an event", {"id": f"{topic}-{number}"})
            await asyncio.sleep(0.001 * (number % 2))  # some come at once, some in a while
    found: int = await get_async_redis_client().xlen(topic)
    return found


def test_no_event_is_lost_between_prefects_server_and_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        with redis_alone() as settings:
            for name, value in settings.items():
                monkeypatch.setenv(name, value)
            assert asyncio.run(arrived()) == _EVENTS
    except NotInstalled as error:
        pytest.skip(str(error))
