"""The only way out to a story's site: resolve once, vet every address, and connect to the vetted address itself."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable

import anyio
import httpcore
import httpx

from hnintel.settings import Settings

#: Ranges that wrap an IPv4 address inside an IPv6 one; what is wrapped is vetted too (RFC 4291, 3056, 6052, 4380).
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_IPV4_COMPATIBLE = ipaddress.ip_network("::/96")


class AddressRefused(httpcore.ConnectError):
    """A host's address, or a port, is none that articles may be read from."""


def is_public(address: str) -> bool:
    """Whether *address* (as getaddrinfo gives it) is reachable by anyone, and nothing private hides in it."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id:
            return False
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and (ip in _IPV4_COMPATIBLE or any(ip in net for net in _NAT64)):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner)) and not ip.sixtofour and not ip.teredo
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """A network backend that connects to public addresses on allowed ports, and to nothing else."""

    def __init__(self, ports: Iterable[int], private_hosts: Iterable[str] = ()) -> None:
        self._ports = frozenset(ports)
        self._private = frozenset(host.lower() for host in private_hosts)
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to *host*, by an address that was vetted before; every address it has must be public."""
        if f"{host.lower()}:{port}" in self._private:
            return await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        if port not in self._ports:
            raise AddressRefused(f"port {port} is not allowed")
        addresses = await self._resolve(host, port, timeout)
        refused = [address for address in addresses if not is_public(address)]
        if refused:
            raise AddressRefused(f"{host} has the address {refused[0]}, which is not public")
        return await self._inner.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, path: str, *args: object, **kwargs: object) -> httpcore.AsyncNetworkStream:
        raise AddressRefused("articles are not read from sockets")

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    async def _resolve(self, host: str, port: int, timeout: float | None) -> list[str]:
        try:
            async with asyncio.timeout(timeout):
                loop = asyncio.get_running_loop()
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"{host} was not resolved in time") from None
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from None
        return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx over the guarded backend: no proxy, no netrc, certificates checked."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(verify=True, trust_env=False)
        # httpx has no argument for the network backend; its pool is replaced by one that has (docs/decisions/0005).
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=settings.article_concurrency,
            network_backend=GuardedBackend(settings.allowed_ports, settings.allowed_private_hosts),
        )
