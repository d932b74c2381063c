"""Connections to public addresses only: each address that a host name stands for is checked, and then connected to.

The name is looked up once, so that a second answer of the name server cannot lead elsewhere (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import httpcore

from aurum.common.addresses import Address, embedded_ipv4, parse_address
from aurum.common.outbound.errors import AddressRefused

_SHARED = ipaddress.IPv4Network("100.64.0.0/10")
"""Addresses between a carrier and its customers (RFC 6598); the standard library counts them as neither public nor private."""


@dataclass(frozen=True, slots=True)
class AllowedTargets:
    """Targets that are allowed although they are not public: host names, in lower case, and networks."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

    @classmethod
    def of(cls, texts: Iterable[str]) -> AllowedTargets:
        """Return the targets of texts, each a host name, an address or a network."""
        hosts: set[str] = set()
        networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for text in texts:
            try:
                networks.append(ipaddress.ip_network(text, strict=False))
            except ValueError:
                hosts.add(text.lower().rstrip("."))
        return cls(frozenset(hosts), tuple(networks))

    def allows(self, host: str, address: Address) -> bool:
        """Return whether a connection to an address of a host is allowed."""
        if host.lower().rstrip(".") in self.hosts:
            return True
        if any(address.version == network.version and address in network for network in self.networks):
            return True
        embedded = embedded_ipv4(address)
        return is_public(address) and (embedded is None or is_public(embedded))


def is_public(address: Address) -> bool:
    """Return whether an address belongs to the public internet: not loopback, private, link-local, multicast or reserved."""
    return address.is_global and not (address.is_multicast or address.is_reserved or address in _SHARED)


Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""A function that returns the addresses of a host, as texts. Raises ``OSError`` for an unknown one."""


async def system_lookup(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, as the system looks them up."""
    entries = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """A network that connects to allowed targets only."""

    def __init__(self, allowed: AllowedTargets, lookup: Lookup = system_lookup) -> None:
        self._allowed = allowed
        self._lookup = lookup
        self._network: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()  # pyright: ignore[reportAttributeAccessIssue] - its stand-in without AnyIO, which is installed with Starlette

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature of the library
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of a host that answers, if all its addresses are allowed. Raises ``AddressRefused``."""
        try:
            texts = await self._lookup(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"the host name {host!r} is unknown") from error
        for text in texts:
            address = parse_address(text)
            if address is None or not self._allowed.allows(host, address):
                raise AddressRefused(f"{host} leads to {text}, which is not a public address")
        failure = httpcore.ConnectError(f"the host name {host!r} has no address")
        for text in texts:
            try:
                return await self._network.connect_tcp(text, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
