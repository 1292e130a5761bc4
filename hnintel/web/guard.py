"""The guarded connection to story sites: resolve once, vet every address, connect to the vetted address."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache

import anyio
import httpcore
import httpx

from hnintel.http.urls import host_name
from hnintel.settings import Settings
from hnintel.web.httpx_private import set_pool

#: NAT64 (RFC 6052) wraps an IPv4 address in its last 32 bits; networks without IPv4 reach public sites through it.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
#: Networks without public sites that some versions of Python's own table miss.
_NEVER = tuple(
    ipaddress.ip_network(net)
    for net in (
        "192.0.0.0/24",  # IETF protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "::/96",  # IPv4-compatible
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b:1::/48",  # NAT64 for local use
        "2001::/23",  # Teredo, benchmarking, ORCHID
        "2002::/16",  # 6to4: no public site needs it
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fec0::/10",  # site-local
    )
)
#: Internal services of clouds at addresses that are public by every registry, reachable only from their machines.
#: Other clouds use addresses that are private, shared or link-local already: 169.254.169.254 of most, 100.100.100.200
#: of Alibaba Cloud, 192.0.0.192 of Oracle's first, fd00:ec2::254 of Amazon, fd20:ce::254 of Google, fd00:42::42 of
#: Scaleway.
_CLOUDS = tuple(
    ipaddress.ip_network(net)
    for net in (
        "168.63.129.16/32",  # Azure: learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
        "161.26.0.0/16",  # IBM Cloud, infrastructure: cloud.ibm.com/docs/vpc?topic=vpc-service-endpoints-for-vpc
        "166.8.0.0/14",  # IBM Cloud, services: the same page
        "199.36.153.4/30",  # Google Cloud, restricted.googleapis.com: cloud.google.com/vpc-service-controls/docs
        "199.36.153.8/30",  # Google Cloud, private.googleapis.com: cloud.google.com/vpc/docs/private-google-access
        "2600:2d00:2:1000::/64",  # the same, restricted
        "2600:2d00:2:2000::/64",  # the same, private
    )
)

#: Returns every address of a host, as text, for a port.
Resolver = Callable[[str, int], Awaitable[list[str]]]

#: The most addresses of a host that are tried; a host with a thousand would cost a thousand timeouts.
_MOST_TRIED = 3
#: The most idle connections, the newest: for the page after its robots.txt, and for a host's next article. Most are
#: never reused, and httpcore scans all of them twice a request.
_MOST_IDLE = 8
# Separate threads: a name server that does not answer blocks a thread for half a minute, and a loop has few.
_LOOKUPS = ThreadPoolExecutor(max_workers=32, thread_name_prefix="resolve")


class AddressRefused(httpcore.ConnectError):
    """A host's address or port is not allowed for articles."""


def is_public(address: str) -> bool:
    """Whether *address* (as getaddrinfo returns it) is public, with no private address embedded in it."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id:
            return False
        inner = ip.ipv4_mapped or (ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
        if inner is not None:
            return is_public(str(inner))
    if any(ip.version == net.version and ip in net for net in _NEVER + _CLOUDS):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


async def resolve(host: str, port: int) -> list[str]:
    """Every address that the system has for *host*, best first.

    Raises:
        OSError, UnicodeError: the host has no address.
    """
    with suppress(ValueError):
        return [str(ipaddress.ip_address(host))]  # an address needs no lookup
    loop = asyncio.get_running_loop()
    entries = await loop.run_in_executor(_LOOKUPS, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return [str(sockaddr[0]) for *_, sockaddr in entries]


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """A network backend that connects only to public addresses on allowed ports.

    Args:
        ports: the allowed ports.
        private_hosts: ``host:port`` pairs that are allowed whatever their address.
        resolver: resolves a host to addresses.
        vet: returns whether an address is allowed.
        inner: the backend that connects; it is given addresses, never names.
    """

    def __init__(
        self,
        ports: Iterable[int],
        private_hosts: Iterable[str] = (),
        resolver: Resolver = resolve,
        vet: Callable[[str], bool] = is_public,
        inner: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._ports = frozenset(ports)
        self._private = frozenset(_host_and_port(*pair.rpartition(":")[::2]) for pair in private_hosts)
        self._resolver, self._vet = resolver, vet
        self._inner = inner or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a vetted address of *host*; every address of the host must be public.

        httpcore still checks the certificate against the URL's host, not against the address.

        Raises:
            AddressRefused: the port is not allowed, or an address is not public.
            httpcore.ConnectError, httpcore.ConnectTimeout: the name cannot be resolved, or the site does not answer.
        """
        is_listed = _host_and_port(host, str(port)) in self._private
        if not is_listed and port not in self._ports:
            raise AddressRefused(f"port {port} is not allowed")
        addresses = await self._addresses(host, port, timeout)
        refused = [] if is_listed else [address for address in addresses if not self._vet(address)]
        if refused:
            raise AddressRefused(f"{host} has the address {refused[0]}, which is not public")
        return await self._connect(addresses[:_MOST_TRIED], port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, path: str, *args: object, **kwargs: object) -> httpcore.AsyncNetworkStream:
        """Refuse Unix sockets.

        Raises:
            AddressRefused: always.
        """
        raise AddressRefused("articles are not read from sockets")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await anyio.sleep(seconds)

    async def _addresses(self, host: str, port: int, timeout: float | None) -> list[str]:
        try:
            async with asyncio.timeout(timeout):
                addresses = list(dict.fromkeys(await self._resolver(host, port)))
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"{host} was not resolved in time") from None
        except (OSError, UnicodeError):
            addresses = []
        if not addresses:
            raise httpcore.ConnectError(f"{host} cannot be resolved")
        return addresses

    async def _connect(
        self,
        addresses: list[str],
        port: int,
        timeout: float | None,
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers, so that a machine without IPv6 falls back to IPv4."""
        timeout_each = None if timeout is None else timeout / len(addresses)
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(address, port, timeout_each, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(addresses[-1], port, timeout_each, local_address, socket_options)


def _host_and_port(host: str, port: str) -> tuple[str, str]:
    """The normalised pair by which hosts are compared; ``[::1]`` and ``::1`` are the same host."""
    return host_name(host.strip().removeprefix("[").removesuffix("]")), port.strip()


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx over the guarded backend: no proxy, no netrc, certificates checked.

    Args:
        settings: the allowed ports and hosts, and the most connections at once.
        backend: replaces the backend built from the settings.
        tls: replaces the default authorities (certifi's, or those of ``SSL_CERT_FILE``).
    """

    def __init__(
        self,
        settings: Settings,
        backend: httpcore.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        tls = tls or authorities()
        super().__init__(verify=tls, trust_env=False)
        # httpx has no argument for the network backend, so its pool is replaced (docs/decisions/0005).
        pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=settings.article_concurrency,
            max_keepalive_connections=_MOST_IDLE,
            keepalive_expiry=5.0,
            network_backend=backend or GuardedBackend(settings.allowed_ports, settings.allowed_private_hosts),
        )
        set_pool(self, pool)


@lru_cache(maxsize=1)
def authorities() -> ssl.SSLContext:
    """The web's certificate authorities, loaded once: loading takes some 30 ms, and every chunk has its own clients."""
    return httpx.create_ssl_context()
