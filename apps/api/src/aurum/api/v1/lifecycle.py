"""What every answer under ``/v1`` says of itself: that it is deprecated, when it ends, and what comes instead."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aurum.api.http.request_state import HeaderList, RequestState
from aurum.common.ratelimit import Limiter
from aurum.core.access import RatePlan

_PREFIX = "/v1/"
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


class Lifecycle:
    """Pure ASGI. Whatever answers, the routes of v1 or a layer that refuses, the answer bears the headers that v1 promised.

    ``Sunset`` is the day v1 announced (RFC 8594). The names of limits are those of v1, beside those of today.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX):
            await self._app(scope, receive, send)
            return
        successor = next((new for old, new in _SUCCESSORS if scope["path"].startswith(old)), "/v2/series")

        state: RequestState = scope["aurum"]

        async def send_with_lifecycle(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message["headers"]
                # What layers say of an answer that is let in goes out further up.
                limits = [(_LIMITS[name], value) for name, value in (*own, *state.headers) if name in _LIMITS]
                limits += _of_plan(state, scope["state"]["limiter"])
                limits.append((b"x-correlation-id", state.request_id.encode()))
                link = (b"link", f'<{successor}>; rel="successor-version"'.encode())
                message["headers"] = [*own, *_FIXED, link, *limits]
            await send(message)

        await self._app(scope, receive, send_with_lifecycle)


def _of_plan(state: RequestState, limiter: Limiter[RatePlan]) -> HeaderList:
    """What v1 said of a plan: its name, and what it allows a day. Nothing where the caller has none."""
    caller = state.caller
    if caller.plan is None:
        return []
    now = limiter.clock()
    account = limiter.account((caller.tenant, caller.subject), caller.plan, now)
    told = [(b"x-ratelimit-tier", caller.plan.name.encode())]
    for window, left in zip(account.bucket.limits, account.left(now), strict=True):
        if window.name == "day":
            told.append((b"x-ratelimit-daily-limit", b"%d" % window.limit))
            told.append((b"x-ratelimit-daily-remaining", b"%d" % max(0, left)))
    return told
