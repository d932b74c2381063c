"""Headers of every answer under ``/v1``: it is deprecated, when it ends, and what replaces it."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aurum.api.http.request_state import HeaderList, RequestState
from aurum.common.ratelimit import Limiter
from aurum.core.access import RatePlan

PREFIX = "/v1/"
GUIDE = "/docs/guides/from-v1-to-v2"
_FIXED: HeaderList = [
    (b"deprecation", b"true"),
    (b"sunset", b"Wed, 31 Dec 2025 23:59:59 GMT"),
    (b"link", f'<{GUIDE}>; rel="deprecation"; type="text/html"'.encode()),
    (b"warning", b'299 - "v1 is deprecated: use v2"'),
    (b"x-api-version", b"v1"),
    (b"x-api-lifecycle", b"deprecated"),
    (b"x-api-migration-guide", GUIDE.encode()),
]
_LIMITS = {
    b"ratelimit-limit": b"x-ratelimit-limit",
    b"ratelimit-remaining": b"x-ratelimit-remaining",
    b"ratelimit-reset": b"x-ratelimit-reset",
}
_SUCCESSORS = (
    ("/v1/iso/lmp", "/v2/observations"),
    ("/v1/metadata/dimensions", "/v2/catalog/dimensions"),
    ("/v1/metadata/locations", "/v2/catalog/locations"),
    ("/v1/metadata/units", "/v2/catalog/units"),
    ("/v1/metadata/calendars", "/v2/catalog/calendars"),
    ("/v1/metadata/eia/datasets", "/v2/catalog/datasets"),
    ("/v1/ref/eia/series/dimensions", "/v2/catalog/dimensions"),
    ("/v1/ref/eia/series", "/v2/observations"),
    ("/v1/external/providers", "/v2/catalog/sources"),
    ("/v1/external/series", "/v2/series"),
    ("/v1/drought/dimensions", "/v2/catalog/dimensions"),
    ("/v1/drought", "/v2/observations"),
)


_MARKS = "aurum.v1"


@dataclass(slots=True)
class _Marks:
    """Whether a route wants the headers of version 1 in its response. One object, so that copies of a scope share it."""

    is_left_out: bool = False


def leave_out_lifecycle(scope: Scope) -> None:
    """Send the answer to this request without the headers of version 1."""
    marks: _Marks | None = scope.get(_MARKS)
    if marks is not None:
        marks.is_left_out = True


class Lifecycle:
    """Pure ASGI. Adds the headers of version 1 to each answer, of its routes and of the layers that refuse a request.

    ``Sunset`` is the day that version 1 announced (RFC 8594). Limits have the names of version 1 beside the present ones.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        successor = next((new for old, new in _SUCCESSORS if scope["path"].startswith(old)), "/v2/series")

        state: RequestState = scope["aurum"]
        marks = scope[_MARKS] = _Marks()

        async def send_with_lifecycle(message: Message) -> None:
            if message["type"] == "http.response.start" and not marks.is_left_out:
                own = message["headers"]
                # Layers put the headers of a request they let in into its state, which goes out further up.
                limits = [(_LIMITS[name], value) for name, value in (*own, *state.headers) if name in _LIMITS]
                limits += _of_plan(state, scope["state"]["limiter"])
                limits.append((b"x-correlation-id", state.request_id.encode()))
                link = (b"link", f'<{successor}>; rel="successor-version"'.encode())
                message["headers"] = [*own, *_FIXED, link, *limits]
            await send(message)

        await self._app(scope, receive, send_with_lifecycle)


def _of_plan(state: RequestState, limiter: Limiter[RatePlan]) -> HeaderList:
    """Return the headers about a plan: its name, and its requests a day. Empty for a caller without a plan."""
    caller = state.caller
    if caller.plan is None:
        return []
    now = limiter.clock()
    account = limiter.account((caller.tenant, caller.subject), caller.plan, now)
    headers: HeaderList = [(b"x-ratelimit-tier", caller.plan.name.encode())]
    for window, left in zip(account.bucket.limits, account.remaining(now), strict=True):
        if window.name == "day":
            headers.append((b"x-ratelimit-daily-limit", b"%d" % window.limit))
            headers.append((b"x-ratelimit-daily-remaining", b"%d" % max(0, left)))
    return headers
