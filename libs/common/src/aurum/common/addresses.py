"""IP addresses as sockets and proxies write them, and the IPv4 addresses that IPv6 addresses stand for."""

from __future__ import annotations

import ipaddress
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_LONGEST = 256
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
"""The well-known prefix (RFC 6052, 2.1) and that for local use (RFC 8215), with the IPv4 address in the last 32 bits."""
_COMPATIBLE = ipaddress.IPv6Network("::/96")
"""IPv4-compatible addresses (RFC 4291, 2.5.5.1); deprecated, and still understood by systems."""
_FIRST_COMPATIBLE = 1 << 16
"""Below it are the unspecified address and loopback, which stand for no IPv4 address."""


def parse_address(text: str) -> Address | None:
    """Return an address as proxies write it; None when the text is not an address.

    Forms: ``192.0.2.1``, ``192.0.2.1:80``, ``2001:db8::1``, ``[2001:db8::1]:80``. An IPv4-mapped IPv6 address becomes the IPv4
    address.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def embedded_ipv4(address: Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address whose owner sends from this IPv6 address: NAT64, 6to4, Teredo, IPv4-compatible; else None."""
    if address.version == 4:
        return None
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    low = int(address) & 0xFFFF_FFFF
    if any(address in network for network in _NAT64) or (address in _COMPATIBLE and low >= _FIRST_COMPATIBLE):
        return ipaddress.IPv4Address(low)
    return None
