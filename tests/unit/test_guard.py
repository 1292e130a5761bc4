"""The guard: which addresses are public, and that what is connected to is the very address that was vetted."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from hnintel.web.guard import AddressRefused, GuardedBackend, is_public, resolve
from tests.security.loopback import PUBLIC, Detour, Names, Site, answer, fetcher, page, patient


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_that_anyone_can_reach_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("loopback", "127.0.0.1"),
        ("loopback", "127.255.0.7"),
        ("loopback", "::1"),
        ("this host", "0.0.0.0"),
        ("this host", "::"),
        ("private", "10.0.0.1"),
        ("private", "172.16.0.1"),
        ("private", "192.168.1.1"),
        ("private", "fd00::1"),
        ("link-local", "169.254.169.254"),
        ("link-local", "fe80::1"),
        ("site-local", "fec0::1"),
        ("CGNAT", "100.64.0.1"),
        ("CGNAT", "100.127.255.255"),
        ("multicast", "224.0.0.1"),
        ("multicast", "ff02::1"),
        ("multicast, global scope", "ff0e::1"),
        ("reserved", "240.0.0.1"),
        ("reserved", "255.255.255.255"),
        ("documentation", "192.0.2.1"),
        ("documentation", "203.0.113.9"),
        ("documentation", "2001:db8::1"),
        ("documentation", "3fff::1"),
        ("benchmarking", "198.18.0.1"),
        ("IETF", "192.0.0.8"),
        ("6to4 relay", "192.88.99.1"),
        ("IPv4-mapped", "::ffff:127.0.0.1"),
        ("IPv4-mapped, in hexadecimal", "::ffff:7f00:1"),
        ("IPv4-compatible", "::127.0.0.1"),
        ("IPv4-compatible, of a public address", "::8.8.8.8"),
        ("IPv4-translated", "::ffff:0:127.0.0.1"),
        ("6to4 of a private address", "2002:7f00:1::"),
        ("6to4 of a public address", "2002:808:808::1"),
        ("NAT64 of a private address", "64:ff9b::127.0.0.1"),
        ("NAT64 of the metadata service", "64:ff9b::a9fe:a9fe"),
        ("NAT64 for local use", "64:ff9b:1::808:808"),
        ("Teredo", "2001:0:53aa:64c:0:5efe:7f00:1"),
        ("zone id", "fe80::1%eth0"),
        ("zone id on a public address", "2606:4700:4700::1111%1"),
        ("no address", "localhost"),
        ("no address", "127.1"),
        ("no address", ""),
    ],
)
def test_no_other_address_is_public(kind: str, address: str) -> None:
    assert not is_public(address), kind


@pytest.mark.parametrize(
    "address",
    [
        "168.63.129.16",
        *("161.26.0.0", "161.26.0.10", "161.26.255.255"),
        *("166.8.0.0", "166.8.0.1", "166.9.20.5", "166.11.255.255"),
        *("199.36.153.4", "199.36.153.11"),
        *("100.100.100.200", "169.254.169.254", "169.254.42.42", "192.0.0.192"),
    ],
)
def test_no_form_of_the_address_of_a_clouds_own_service_is_public(address: str) -> None:
    ip = ipaddress.IPv4Address(address)
    in_6to4 = ipaddress.IPv6Address((0x2002 << 112) | int(ip) << 80 | 1)
    in_hexadecimal = f"::ffff:{int(ip) >> 16:x}:{int(ip) & 0xFFFF:x}"
    forms = [address, f"::ffff:{ip}", in_hexadecimal, f"64:ff9b::{ip}", str(in_6to4), f"::{ip}", f"::ffff:0:{ip}"]
    assert [form for form in forms if is_public(form)] == []


@pytest.mark.parametrize(
    "address",
    [
        "fd00:ec2::254",
        "fd20:ce::254",
        "fd00:42::42",
        "fd00:c1::a9fe:a9fe",
        "2600:2d00:2:1000::1",
        "2600:2d00:2:2000::1",
    ],
)
def test_no_service_of_a_cloud_at_an_ipv6_address_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("168.63.129.15", "168.63.129.17", "161.25.255.255", "161.27.0.0", "166.7.255.255", "166.12.0.0"),
        *("199.36.153.3", "199.36.153.12", "2600:2d00:2:fff::1", "2600:2d00:2:1001::1"),
    ],
)
def test_the_addresses_beside_those_of_a_clouds_services_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", ["4000::1", "1000::1", "8000::1", "a000::1", "e000::1", "f800::1", "200::1"])
def test_an_address_that_is_given_to_nobody_yet_is_not_public(address: str) -> None:
    assert ipaddress.ip_address(address).is_reserved
    assert not is_public(address)


def test_nat64_of_a_public_address_is_how_a_network_without_ipv4_reaches_it() -> None:
    assert is_public("64:ff9b::8.8.8.8")


@given(st.ip_addresses(v=4))
def test_wrapping_a_private_address_in_ipv6_never_makes_it_public(ip: ipaddress.IPv4Address) -> None:
    wrapped = [f"::ffff:{ip}", f"::{ip}", f"64:ff9b::{ip}", str(ipaddress.IPv6Address((0x2002 << 112) | int(ip) << 80))]
    assert is_public(str(ip)) or not any(is_public(address) for address in wrapped)


async def test_the_address_that_was_vetted_is_the_one_connected_to_and_the_name_is_asked_once() -> None:
    async with Site() as site:
        names, detour = Names(), Detour(site.port)
        stream = await GuardedBackend([80], (), names, inner=detour).connect_tcp("example.com", 80)
        await stream.aclose()
    assert names.asked == ["example.com"]
    assert detour.addresses == [PUBLIC]


async def test_one_private_address_among_public_ones_is_enough_to_refuse_a_host() -> None:
    detour = Detour(1)
    backend = GuardedBackend([80], (), Names(otherwise=[PUBLIC, "10.0.0.1"]), inner=detour)
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1, which is not public"):
        await backend.connect_tcp("example.com", 80)
    assert detour.addresses == []


async def test_a_port_that_is_not_allowed_is_refused_before_the_name_is_looked_up() -> None:
    names = Names()
    with pytest.raises(AddressRefused, match="port 22 is not allowed"):
        await GuardedBackend([80, 443], (), names).connect_tcp("example.com", 22)
    assert names.asked == []


async def test_a_private_host_is_reached_only_where_it_is_listed_with_its_port() -> None:
    async with Site() as site:
        listed = [f"Intranet.Example:{site.port}"]
        backend = GuardedBackend([80], listed, Names(otherwise=["127.0.0.1"]))
        stream = await backend.connect_tcp("intranet.example", site.port)
        await stream.aclose()
        for host, port in (("intranet.example", 80), ("other.example", site.port)):
            with pytest.raises(AddressRefused):
                await backend.connect_tcp(host, port)


async def test_an_allowed_host_is_the_same_host_with_the_dot_that_ends_a_full_name() -> None:
    async with Site() as site:
        backend = GuardedBackend([80], [f"intranet.example:{site.port}"], Names(otherwise=["127.0.0.1"]))
        stream = await backend.connect_tcp("Intranet.Example.", site.port)
        await stream.aclose()
        with pytest.raises(AddressRefused):
            await backend.connect_tcp("other.intranet.example.", site.port)


@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        ("Intranet.Example.:{port}", "intranet.example"),
        ("intranet.example.:{port}", "intranet.example."),
        (" intranet.example:{port} ", "intranet.example"),
        ("[::1]:{port}", "::1"),
        ("::1:{port}", "::1"),
    ],
)
async def test_a_listed_host_is_the_same_host_however_it_is_spelled(listed: str, asked: str) -> None:
    async with Site() as site:
        pairs = [listed.format(port=site.port)]
        backend = GuardedBackend([80], pairs, Names(otherwise=["127.0.0.1"]), inner=Detour(site.port))
        stream = await backend.connect_tcp(asked, site.port)
        await stream.aclose()
        with pytest.raises(AddressRefused):
            await backend.connect_tcp(f"x{asked}", site.port)


async def test_the_next_vetted_address_is_tried_where_the_first_does_not_answer() -> None:
    class FirstIsDead(Detour):
        async def connect_tcp(self, host: str, *args: object, **kwargs: object) -> httpcore.AsyncNetworkStream:
            if not self.addresses:
                self.addresses.append(host)
                raise httpcore.ConnectError("no route")
            return await super().connect_tcp(host, 80)

    async with Site() as site:
        detour = FirstIsDead(site.port)
        both = ["2606:4700:4700::1111", PUBLIC]
        stream = await GuardedBackend([80], (), Names(otherwise=both), inner=detour).connect_tcp("example.com", 80)
        await stream.aclose()
    assert detour.addresses == both


class NothingAnswers(httpcore.AsyncNetworkBackend):
    """Refuses every connection, and keeps the addresses and the timeouts that it was asked for."""

    def __init__(self) -> None:
        self.tried: list[tuple[str, float | None]] = []

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: object, **kwargs: object
    ) -> httpcore.AsyncNetworkStream:
        self.tried.append((host, timeout))
        raise httpcore.ConnectError("no route")


@pytest.mark.parametrize(("addresses", "tried"), [(1, 1), (2, 2), (3, 3), (4, 3), (1000, 3)])
async def test_three_addresses_of_a_host_are_tried_at_most_and_share_its_timeout(addresses: int, tried: int) -> None:
    first = int(ipaddress.IPv4Address("8.8.0.0"))
    given = [str(ipaddress.IPv4Address(first + number)) for number in range(addresses)]
    backend = NothingAnswers()
    with pytest.raises(httpcore.ConnectError):
        await GuardedBackend([80], (), Names(otherwise=given), inner=backend).connect_tcp("example.com", 80, timeout=10)
    assert backend.tried == [(address, pytest.approx(10 / tried)) for address in given[:tried]]


async def test_a_name_is_resolved_to_its_addresses_by_the_system() -> None:
    found = await resolve("localhost", 80)
    assert found
    assert all(ipaddress.ip_address(address).is_loopback for address in found)


async def test_a_name_that_does_not_exist_is_no_connection() -> None:
    async def nowhere(host: str, port: int) -> list[str]:
        raise OSError("Name or service not known")

    with pytest.raises(httpcore.ConnectError, match=r"nowhere\.example cannot be resolved"):
        await GuardedBackend([80], (), nowhere).connect_tcp("nowhere.example", 80)


async def test_unix_sockets_are_refused() -> None:
    with pytest.raises(AddressRefused):
        await GuardedBackend([80]).connect_unix_socket("/var/run/docker.sock")


def _certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts for a server that is *name*, and for a client that trusts its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem, secret)
    return server, ssl.create_default_context(cafile=str(pem))


@pytest.mark.parametrize(("host", "outcome"), [("named.example", "ok"), ("other.example", "failed")])
async def test_tls_speaks_for_the_name_though_an_address_is_connected_to(
    host: str, outcome: str, tmp_path: Path
) -> None:
    server, client = _certificate(tmp_path, "named.example")
    wanted: list[str | None] = []
    server.sni_callback = lambda connection, name, context: wanted.append(name)
    async with Site({f"{host}/": answer(page())}, server) as site, fetcher(site, patient(), tls=client) as read:
        fetched = await read.fetch(f"https://{host}/")
    assert fetched.outcome == outcome, fetched.reason
    assert set(wanted) == {host}
