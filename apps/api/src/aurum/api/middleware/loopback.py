"""What an open service takes: it asks nobody who they are, so it must be sure that nobody else's page or machine asks.

Any page that a browser shows may send a request to this machine without reading the answer (a POST without a body needs no
leave), and one whose name is made to lead here reads the answers too (https://en.wikipedia.org/wiki/DNS_rebinding).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from aurum.api.http.problems import KINDS
from aurum.api.http.request_state import RequestState
from aurum.api.middleware.addresses import parse_address
from aurum.api.middleware.refusal import HEALTH, refuse
from aurum.common.settings import ApiSettings
from aurum.core.errors import Forbidden

_KIND = KINDS[Forbidden]
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MOST_NAMES = 100


@lru_cache(maxsize=64)
def _is_loopback(address: str) -> bool | None:
    """Of an address this service listens on; None when it is none."""
    parsed = parse_address(address)
    return parsed.is_loopback if parsed is not None else None


class HostNames:
    """Names by which an open service may be asked: those of this machine's loopback, and ``also``."""

    def __init__(self, also: Iterable[str] = ()) -> None:
        self._also = frozenset(name.lower() for name in also)
        self.taken: set[bytes | None] = set()
        """Values of ``Host`` that are good where the service listens on loopback, for whoever is in a hurry."""

    def take(self, host: bytes | None, server: tuple[str, int | None] | None) -> bool:
        """Whether a request for this host may be answered on this address of ours."""
        if server is None or (here := _is_loopback(server[0])) is None:
            # A path of this machine: nothing of the network leads there.
            return True
        if not here:
            return False
        if host in self.taken:
            return True
        good = host is None or self._is_ours(host)
        if good and len(self.taken) < _MOST_NAMES:
            self.taken.add(host)
        return good

    def _is_ours(self, host: bytes) -> bool:
        try:
            name = urlsplit(f"//{host.decode('latin-1')}").hostname or ""
        except ValueError:
            return False
        address = parse_address(f"[{name}]" if ":" in name else name)
        if address is not None:
            return address.is_loopback
        return name in self._also or name == "localhost" or name.endswith(".localhost")


class Loopback:
    """Pure ASGI; for services that are open. How the service is, is told to all.

    What changes something is not taken from pages of other origins, but for those that ``api.cors_origins`` names.
    """

    def __init__(self, app: ASGIApp, settings: ApiSettings) -> None:
        self._app = app
        self._origins = frozenset(settings.cors_origins)
        self._names = HostNames(settings.names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in HEALTH:
            state: RequestState = scope["aurum"]
            host = state.request_headers.get(b"host")
            if not self._names.take(host, scope.get("server")):
                detail = (
                    "this service is open, so it answers for names and addresses of its own machine only (AURUM_API__NAMES)"
                )
                await refuse(scope, send, _KIND, detail)
                return
            if scope["method"] not in _SAFE and not self._is_own(state, host or b""):
                await refuse(scope, send, _KIND, "this service is open, so it takes nothing from pages of other origins")
                return
        await self._app(scope, receive, send)

    def _is_own(self, state: RequestState, host: bytes) -> bool:
        origin = state.request_headers.get(b"origin")
        if origin is None:
            # Browsers send an Origin with what changes something; of those that do not, this tells.
            return state.request_headers.get(b"sec-fetch-site", b"none") in (b"same-origin", b"none")
        text = origin.decode("latin-1")
        return text in self._origins or "*" in self._origins or text.partition("://")[2] == host.decode("latin-1")
