"""The address of the client of a request, and whether that address may use the service.

The socket knows its peer. A peer that is a trusted proxy names the address before it, and so on from right to left: the first
address that is not a trusted proxy is the client. Anything left of it is ignored, because any client can write it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from aurum.api.http.problems import KINDS
from aurum.api.http.request_state import RequestState
from aurum.api.middleware.refusal import HEALTH, refuse
from aurum.common.addresses import Address, embedded_ipv4, parse_address
from aurum.common.settings.limits import LimitsSettings, Network
from aurum.core.errors import Forbidden

_KIND = KINDS[Forbidden]
_REMEMBERED = 4096
_MOST_HOPS = 16


class Addresses:
    """Pure ASGI. Sets ``state.address``; a denied address, or one missing in a list of allowed ones, gets 403.

    Health checks are answered for every address: a list without the machine itself would have its container killed.
    ``deny`` takes precedence over ``allow``. An IPv6 address that stands for an IPv4 address counts as both.
    """

    def __init__(self, app: ASGIApp, settings: LimitsSettings) -> None:
        self._app = app
        self._settings = settings
        self._header = settings.proxy_header.encode()
        self._lists = settings.has_address_lists
        self._may_ask = lru_cache(_REMEMBERED)(self._judge)
        self._is_proxy = lru_cache(_REMEMBERED)(self._trusts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            client = scope.get("client")
            address = client[0] if client is not None else ""
            if self._settings.trusted_proxies and self._is_proxy(address):
                address = self._named_by_proxies(scope, address)
            state: RequestState = scope["aurum"]
            state.address = address
            if self._lists and scope["path"] not in HEALTH and not self._may_ask(address):
                await refuse(
                    scope,
                    send,
                    _KIND,
                    f"requests from this address ({address or 'unknown'}) are refused by AURUM_LIMITS__ALLOW or "
                    "AURUM_LIMITS__DENY: ask the operator to allow it",
                    address=address,
                )
                return
        await self._app(scope, receive, send)

    def _named_by_proxies(self, scope: Scope, peer: str) -> str:
        """Return the client as the proxies before ``peer`` name it; ``peer`` when they name no valid address."""
        values = [value.decode("latin-1") for name, value in scope["headers"] if name == self._header]
        # Addresses hold no commas, not even in quotes.
        for hop in reversed(",".join(values).rsplit(",", _MOST_HOPS)):
            named = _for(hop) if self._header == b"forwarded" else hop
            address = parse_address(named)
            if address is None:
                # "unknown", an obfuscated name, or not an address: the proxy that sent it is the last known address.
                return peer
            peer = str(address)
            if not self._is_proxy(peer):
                return peer
        return peer

    def _trusts(self, text: str) -> bool:
        return _within(text, self._settings.trusted_proxies)

    def _judge(self, text: str) -> bool:
        allow, deny = self._settings.allow, self._settings.deny
        address = parse_address(text)
        if address is None:
            return not allow
        embedded = embedded_ipv4(address)
        forms = (address,) if embedded is None else (address, embedded)
        if any(_is_in(form, deny) for form in forms):
            return False
        return not allow or any(_is_in(form, allow) for form in forms)


def _within(text: str, networks: Iterable[Network]) -> bool:
    address = parse_address(text)
    return address is not None and _is_in(address, networks)


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _for(hop: str) -> str:
    """Return the ``for`` parameter of one hop in a ``Forwarded`` header (RFC 7239, 4)."""
    for pair in hop.split(";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            return value.strip().strip('"')
    return ""
