"""Bodies of interfaces and endpoints that mean harm (bombs, endless ones): read up to a bound and no further."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import brotli
import pytest
from backports import zstd

from hnintel.engines.base import Answer
from hnintel.engines.openai import OpenAIEngine, endpoint, structured
from hnintel.errors import Unreachable
from hnintel.settings import Settings
from hnintel.sources import json_http
from hnintel.sources.json_http import json_client
from tests.security.loopback import Site, answer

KEY = "127.0.0.1/v1/chat/completions"
#: What a bomb expands to; both bounds are a small part of it.
EXPANDED = 48_000_000


def _gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    return packer.compress(data) + packer.flush()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _gzip,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": zstd.compress,
    "gzip, gzip": lambda data: _gzip(_gzip(data)),
}


@cache
def bomb(encoding: str) -> bytes:
    """Blanks without end, packed."""
    return PACKED[encoding](b" " * EXPANDED)


ENCODINGS = pytest.mark.parametrize("encoding", list(PACKED))


class Endless:
    """A body without an end, which counts the bytes that the other side took."""

    def __init__(self, head: bytes = b"") -> None:
        self.head, self.sent = head, 0

    async def __call__(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + self.head + b"\r\n")
        while True:
            writer.write(b" " * 65_536)
            await writer.drain()
            self.sent += 65_536


async def peak_of(work: Awaitable[Any]) -> tuple[Any, int]:
    """What *work* came to, and the most bytes that Python held for it."""
    tracemalloc.start()
    try:
        return await work, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def interface(site: Site) -> Any:
    settings = Settings(item_attempts=1, item_timeout=60.0)
    async with json_client(settings) as client:
        return await client.get(f"http://127.0.0.1:{site.port}/items")


async def refused_interface(site: Site) -> str:
    with pytest.raises(Unreachable) as refused:
        await interface(site)
    return str(refused.value)


async def ask(site: Site, schema: dict[str, Any] | None = None) -> Answer:
    base_url = f"http://127.0.0.1:{site.port}/v1"
    settings = Settings(
        engine="openai", openai_base_url=base_url, openai_model="m", openai_timeout=60.0, openai_attempts=1
    )
    (answered,) = await asyncio.to_thread(OpenAIEngine(settings).complete, "m", ["say"], {}, schema)
    return answered


def completion(content: str, **more: Any) -> bytes:
    told = {"choices": [{"message": {"content": content}, "finish_reason": "stop"}], **more}
    return json.dumps(told).encode()


@ENCODINGS
async def test_a_bomb_of_an_interface_is_held_up_to_the_bound(encoding: str) -> None:
    async with Site({"127.0.0.1/items": answer(bomb(encoding), content_encoding=encoding)}) as site:
        told, peak = await peak_of(refused_interface(site))
    assert "more than 16000000 bytes" in told
    assert peak < 3 * json_http.MOST_BYTES


@ENCODINGS
async def test_a_packed_answer_of_an_interface_is_read(encoding: str) -> None:
    body = PACKED[encoding](b'{"id": 1}')
    async with Site({"127.0.0.1/items": answer(body, content_encoding=encoding)}) as site:
        assert await interface(site) == {"id": 1}


async def test_an_endless_body_of_an_interface_is_read_up_to_the_bound() -> None:
    endless = Endless()
    async with Site({"127.0.0.1/items": endless}) as site:
        assert "more than 16000000 bytes" in await refused_interface(site)
    assert endless.sent < 2 * json_http.MOST_BYTES


async def test_a_damaged_body_of_an_interface_may_come_whole_the_next_time() -> None:
    async with Site({"127.0.0.1/items": answer(_gzip(b'{"id": 1}')[:-9], content_encoding="gzip")}) as site:
        assert "ends early" in await refused_interface(site)


@pytest.mark.parametrize(
    ("encoding", "status"), [*((encoding, 200) for encoding in PACKED), ("br", 400), ("gzip", 404), ("zstd", 500)]
)
async def test_a_bomb_of_an_endpoint_is_a_bad_answer_and_held_up_to_the_bound(encoding: str, status: int) -> None:
    async with Site({KEY: answer(bomb(encoding), status, content_encoding=encoding)}) as site:
        answered, peak = await peak_of(ask(site))
    assert answered.error == "the endpoint's answer is longer than 2,000,000 bytes"
    assert len(site.asked) == 1, "asked again it would be paid for again"
    assert peak < 4 * endpoint.MOST_BYTES + 6_000_000  # what asking itself holds, the package included


@ENCODINGS
async def test_a_packed_answer_of_an_endpoint_is_read(encoding: str) -> None:
    body = PACKED[encoding](completion("It is so."))
    async with Site({KEY: answer(body, content_encoding=encoding)}) as site:
        assert (await ask(site)).value == "It is so."


async def test_an_endless_answer_of_an_endpoint_is_read_up_to_the_bound() -> None:
    endless = Endless()
    async with Site({KEY: endless}) as site:
        answered = await ask(site)
    assert answered.error == "the endpoint's answer is longer than 2,000,000 bytes"
    assert endless.sent < 5 * endpoint.MOST_BYTES  # what the sockets hold counts as taken


async def test_the_longest_content_fits_into_an_answer_of_an_endpoint_however_it_is_escaped() -> None:
    content = "\U0001f600" * structured.MOST_CHARACTERS  # twelve bytes each, as JSON
    async with Site({KEY: answer(completion(content))}) as site:
        assert (await ask(site)).value == content


@pytest.mark.parametrize("schema", [None, {"type": "object", "properties": {"a": {"type": "string"}}}])
async def test_a_content_longer_than_is_read_is_a_bad_answer(schema: dict[str, Any] | None) -> None:
    content = json.dumps({"a": "x" * structured.MOST_CHARACTERS})
    async with Site({KEY: answer(completion(content))}) as site:
        assert (await ask(site, schema)).error == "the answer is longer than 65,536 characters"
    assert len(site.asked) == 1
