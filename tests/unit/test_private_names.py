"""What we need of the openai package and of httpx that is not public: it is there, and does what we rely on."""

from __future__ import annotations

import httpcore
import httpx
import openai
import pytest

from hnintel.engines.openai.private import client_of_its_arguments
from hnintel.web.httpx_private import set_pool


def test_a_client_of_the_openai_package_takes_nothing_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ORG_ID", "PROJECT_ID", "ADMIN_KEY"):
        monkeypatch.setenv(f"OPENAI_{name}", "meant-for-another")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: meant-for-another")
    usual = openai.AsyncOpenAI(api_key="sk-own", base_url="http://127.0.0.1:9/v1")
    assert "meant-for-another" in str(usual.default_headers), "the package takes these no more: see if it still must be"
    ours = client_of_its_arguments(api_key="sk-own", base_url="http://127.0.0.1:9/v1")
    assert "meant-for-another" not in str([ours.default_headers, ours.auth_headers, ours.admin_api_key])


def test_a_client_of_the_openai_package_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY"):
        monkeypatch.delenv(name, raising=False)
    client = client_of_its_arguments(api_key="", base_url="http://127.0.0.1:9/v1")
    assert client.api_key == ""


async def test_a_transport_of_httpx_connects_by_the_pool_that_it_was_given() -> None:
    urls: list[bytes] = []

    class Recorded(httpcore.AsyncConnectionPool):
        async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
            urls.append(bytes(request.url))
            return httpcore.Response(204)

    transport = httpx.AsyncHTTPTransport()
    set_pool(transport, Recorded())
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await client.get("http://example.com/")).status_code == 204
    assert urls == [b"http://example.com/"]
