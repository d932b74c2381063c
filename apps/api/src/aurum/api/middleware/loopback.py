"""Protection of an open service: it takes no credential, so it must only answer pages and programs of its own machine.

Any page in a browser may send a request to this machine without reading the response (a POST without a body needs no
permission), and a page whose host name resolves to this machine reads responses too
(https://en.wikipedia.org/wiki/DNS_rebinding).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from aurum.api.http.problems import KINDS
from aurum.api.http.request_state import RequestState
from aurum.api.middleware.refusal import HEALTH, refuse
from aurum.common.addresses import parse_address
from aurum.common.settings import ApiSettings
from aurum.core.errors import Forbidden

_KIND = KINDS[Forbidden]
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MOST_NAMES = 100


@lru_cache(maxsize=64)
def _is_loopback(address: str) -> bool | None:
    """Return whether a listening address is loopback; None when the text is not an address."""
    parsed = parse_address(address)
    return parsed.is_loopback if parsed is not None else None


class HostNames:
    """The host names an open service answers for: those of the loopback interface, and ``also``."""

    def __init__(self, also: Iterable[str] = ()) -> None:
        self._also = frozenset(name.lower() for name in also)
        self.accepted: set[bytes | None] = set()
        """Values of ``Host`` that were accepted on loopback, for the fast path."""

    def accept(self, host: bytes | None, server: tuple[str, int | None] | None) -> bool:
        """Return whether a request for this host may be answered on this listening address."""
        if server is None or (here := _is_loopback(server[0])) is None:
            # A Unix socket: no other machine reaches it.
            return True
        if not here:
            return False
        if host in self.accepted:
            return True
        good = host is None or self._is_own_name(host)
        if good and len(self.accepted) < _MOST_NAMES:
            self.accepted.add(host)
        return good

    def _is_own_name(self, host: bytes) -> bool:
        try:
            name = urlsplit(f"//{host.decode('latin-1')}").hostname or ""
        except ValueError:
            return False
        address = parse_address(f"[{name}]" if ":" in name else name)
        if address is not None:
            return address.is_loopback
        return name in self._also or name == "localhost" or name.endswith(".localhost")


class Loopback:
    """Pure ASGI; for open services. Health checks are answered for every host.

    A request that changes something is refused from pages of other origins, except those in ``api.cors_origins``.
    """

    def __init__(self, app: ASGIApp, settings: ApiSettings) -> None:
        self._app = app
        self._origins = frozenset(settings.cors_origins)
        self._names = HostNames(settings.names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in HEALTH:
            state: RequestState = scope["aurum"]
            host = state.request_headers.get(b"host")
            if not self._names.accept(host, scope.get("server")):
                detail = (
                    "this service is open, so it answers only for host names of its own machine; AURUM_API__NAMES adds others"
                )
                await refuse(scope, send, _KIND, detail)
                return
            if scope["method"] not in _SAFE and not self._is_own(state, host or b""):
                await refuse(scope, send, _KIND, "this service is open, so it refuses changes from pages of other origins")
                return
        await self._app(scope, receive, send)

    def _is_own(self, state: RequestState, host: bytes) -> bool:
        origin = state.request_headers.get(b"origin")
        if origin is None:
            # Browsers send an Origin with such requests; without one, Sec-Fetch-Site says where the page is from.
            return state.request_headers.get(b"sec-fetch-site", b"none") in (b"same-origin", b"none")
        text = origin.decode("latin-1")
        return text in self._origins or "*" in self._origins or text.partition("://")[2] == host.decode("latin-1")
