"""URLs that mean harm: no connection to a private address, whatever the URL, the name server or a redirect says.

Every name resolves to an address of this machine, where a server listens on an allowed port, so a miss would connect.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from pathlib import Path

import httpcore
import pytest

from hnintel.http.urls import canonical_url, domain
from hnintel.settings import Settings
from hnintel.web.fetcher import Fetcher
from hnintel.web.guard import GuardedBackend, GuardedTransport, is_public
from hnintel.web.outcomes import Fetched
from tests.security.conftest import Connections
from tests.security.loopback import PUBLIC, Detour, Names, Site, answer, fetcher, moved, page, patient

ENDINGS = {"ok", "gone", "refused", "too_large", "wrong_type", "failed"}


class Inside:
    """A resolver that leads every name to this machine; numbers, in all their spellings, are what they are."""

    async def __call__(self, host: str, port: int) -> list[str]:
        try:
            socket.inet_aton(host)  # 127.1, 0x7f.1 and 2130706433 as the system reads them
        except OSError:
            pass
        else:
            return [socket.inet_ntoa(socket.inet_aton(host))]
        return [host] if ":" in host else ["127.0.0.1"]


class NoWayOut(httpcore.AsyncNetworkBackend):
    """Lets private addresses through to the system; public ones are out of reach of a test."""

    def __init__(self) -> None:
        self.public: list[str] = []
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(self, host: str, port: int, *args: object, **kwargs: object) -> httpcore.AsyncNetworkStream:
        if is_public(host):
            self.public.append(host)
            raise httpcore.ConnectError("out of reach")
        return await self._inner.connect_tcp(host, port, 0.2)


def inside(settings: Settings, vet: bool = True) -> Fetcher:
    """A fetcher in that world, with the guard on or off."""
    check = is_public if vet else lambda address: True
    backend = GuardedBackend(settings.allowed_ports, (), Inside(), check, NoWayOut())
    return Fetcher(GuardedTransport(settings, backend), settings)


async def fetch_all(read: Fetcher, urls: list[str]) -> list[Fetched]:
    gate = asyncio.Semaphore(20)

    async def one(url: str) -> Fetched:
        async with gate:
            return await read.fetch(url)

    return list(await asyncio.gather(*(one(url) for url in urls)))


def listening(site: Site) -> Settings:
    return patient(allowed_ports=(80, 443, 8080, 8443, site.port), article_robots=False, article_total_timeout=5)


def web_platform_urls(corpora: Path) -> list[str]:
    cases = [case for case in json.loads((corpora / "url/urltestdata.json").read_text()) if isinstance(case, dict)]
    names = [case for case in json.loads((corpora / "url/toascii.json").read_text()) if isinstance(case, dict)]
    percent = [
        case for case in json.loads((corpora / "url/percent-encoding.json").read_text()) if isinstance(case, dict)
    ]
    urls = [case["input"] for case in cases] + [case["href"] for case in cases if case.get("href")]
    urls += [f"http://{case['input']}/x" for case in names] + [f"https://a.example/{case['input']}" for case in percent]
    return urls


def forgery_urls(corpora: Path) -> list[str]:
    text = "\n".join(path.read_text(errors="replace") for path in sorted((corpora / "ssrf").iterdir()))
    return sorted(set(re.findall(r"[a-z]+:/*[^\s`\"'<>)|]+", text, re.IGNORECASE)))


SPELLINGS = [
    *("127.0.0.1", "127.1", "0", "0.0.0.0", "2130706433", "017700000001", "0x7f000001", "0x7f.1", "localhost"),
    *(
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ),
    *("169.254.169.254", "0xa9fea9fe", "[::ffff:a9fe:a9fe]", "metadata.google.internal", "10.0.0.1", "100.64.0.1"),
    *("①②⑦.⓪.⓪.①", "127。0。0。1", "127.0.0.1.nip.io", "localhost.", "LOCALHOST", "[fe80::1%25eth0]", "224.0.0.1"),
]


async def test_no_url_of_the_web_platform_tests_reaches_a_private_address(
    corpora: Path, connections: Connections
) -> None:
    urls = web_platform_urls(corpora)
    async with Site() as site, inside(listening(site)) as read:
        ended = await fetch_all(read, urls)
    assert len(urls) > 1000
    assert {one.outcome for one in ended} <= ENDINGS
    assert connections.private() == []


async def test_no_payload_of_request_forgery_reaches_a_private_address(corpora: Path, connections: Connections) -> None:
    urls = forgery_urls(corpora)
    async with Site() as site, inside(listening(site)) as read:
        ended = await fetch_all(read, urls)
    assert len(urls) > 200
    assert {one.outcome for one in ended} <= ENDINGS
    assert connections.private() == []


@pytest.mark.parametrize("of", [10, pytest.param(1, marks=pytest.mark.slow)])
async def test_no_payload_gets_in_by_way_of_a_redirect(corpora: Path, connections: Connections, of: int) -> None:
    payloads = [
        url for url in forgery_urls(corpora) + web_platform_urls(corpora) if url.isascii() and url.isprintable()
    ][::of]
    names = Names(otherwise=["127.0.0.1"], known={f"r{number}.example": [PUBLIC] for number in range(len(payloads))})
    answers = {f"r{number}.example/": moved(url) for number, url in enumerate(payloads)}
    async with Site(answers) as site, fetcher(site, listening(site), names) as read:  # type: ignore[arg-type]
        ended = await fetch_all(read, [f"http://r{number}.example/" for number in range(len(payloads))])
        asked = {host.partition("/")[0] for host in site.asked}
    assert {one.outcome for one in ended} <= ENDINGS
    assert {host for host in asked if not re.fullmatch(r"r\d+\.example", host)} == set()
    assert connections.private(but=site.port) == []


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_every_spelling_of_a_private_address_is_refused(spelling: str, connections: Connections) -> None:
    async with Site() as site, inside(listening(site)) as read:
        for url in (f"http://{spelling}/", f"http://{spelling}:{site.port}/latest/meta-data/"):
            assert (await read.fetch(url)).outcome == "refused"
    assert connections.seen == []


async def test_with_the_guard_off_the_same_urls_do_connect(connections: Connections) -> None:
    """The control: it shows that the tests above can fail."""
    async with Site() as site:
        site.answers = {f"{host}/": answer(page()) for host in ("127.0.0.1", "metadata.google.internal", "2130706433")}
        async with inside(listening(site), vet=False) as read:
            urls = [f"http://{key.partition('/')[0]}:{site.port}/" for key in site.answers]
            assert {one.outcome for one in await fetch_all(read, urls)} == {"ok"}
        assert connections.private() == [("127.0.0.1", site.port)] * len(urls)


async def test_a_dns_answer_that_changes_between_check_and_use_does_not_get_in(connections: Connections) -> None:
    class Rebinding(Names):
        async def __call__(self, host: str, port: int) -> list[str]:
            self.asked.append(host)
            return [PUBLIC] if len(self.asked) % 2 else ["127.0.0.1"]

    settings, names = patient(article_robots=False), Rebinding()
    async with Site({"rebind.example/": answer(page())}) as site:
        detour = Detour(site.port)
        backend = GuardedBackend(settings.allowed_ports, (), names, inner=detour)
        async with Fetcher(GuardedTransport(settings, backend), settings) as read:
            ended = [(await read.fetch("http://rebind.example/")).outcome for _ in range(6)]
    assert ended == ["ok", "refused"] * 3
    assert len(names.asked) == 6  # once a connection: there is no second answer that could differ
    assert set(detour.addresses) == {PUBLIC}
    assert connections.private(but=site.port) == []


def test_every_url_has_a_key_that_is_a_web_address_or_none(corpora: Path) -> None:
    for url in web_platform_urls(corpora) + forgery_urls(corpora):
        key = canonical_url(url)
        assert key is None or (key.startswith(("http://", "https://")) and canonical_url(key) == key)
        domain(url)
