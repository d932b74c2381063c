"""Reads the body of a request before it is admitted, so that a body that never arrives occupies no place."""

from __future__ import annotations

from collections import Counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aurum.api.http.bodies import read_body, replayed
from aurum.api.http.problems import KINDS
from aurum.api.http.request_state import RequestState
from aurum.api.middleware.refusal import refuse
from aurum.common.ratelimit import retry_after
from aurum.common.settings.limits import LimitsSettings
from aurum.core.access import LOCAL
from aurum.core.errors import Unavailable

_KIND = KINDS[Unavailable]
_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_WAIT_S = 1.0


class WholeBody:
    """Pure ASGI; stands above ``Admission`` and below ``Access``. Layers below receive the body in one piece.

    The server limits how long a body may take, ``Size`` how long it may be; this layer limits how many bytes of unfinished
    bodies a tenant may have. ``anonymous``: whether bodies of requests without a credential are read; False where every
    caller needs a credential, because public routes use no body.
    """

    def __init__(self, app: ASGIApp, settings: LimitsSettings, *, anonymous: bool) -> None:
        self._app = app
        self._most = settings.unfinished_bytes
        self._anonymous = anonymous
        self._unfinished: Counter[str] = Counter()
        """Bytes by tenant."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in _METHODS or not self._reads_body_of(scope["aurum"]):
            await self._app(scope, receive, send)
            return
        state: RequestState = scope["aurum"]
        counted = _Counted(receive, self._unfinished, state.caller.tenant, self._most)
        try:
            body = await read_body(counted.receive)
        finally:
            counted.forget()
        if body is not None:
            await self._app(scope, replayed(body, receive), send)
        elif counted.is_over:
            detail = "other requests of this tenant are still sending their bodies: try again when some of them are done"
            await refuse(scope, send, _KIND, detail, headers=(retry_after(_WAIT_S),), retry_after=_WAIT_S)

    def _reads_body_of(self, state: RequestState) -> bool:
        headers = state.request_headers
        has_body = headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
        return has_body and (self._anonymous or state.caller.subject != LOCAL.subject)


class _Counted:
    """Counts the bytes of one body. Above the limit of its tenant the reader receives a disconnect."""

    def __init__(self, receive: Receive, unfinished: Counter[str], tenant: str, most: int) -> None:
        self._receive = receive
        self._unfinished = unfinished
        self._tenant = tenant
        self._most = most
        self._own = 0
        self.is_over = False

    async def receive(self) -> Message:
        """Receive the next message and count its bytes, unless it completes the body."""
        message = await self._receive()
        if not message.get("more_body", False):
            return message
        size = len(message["body"])
        self._own += size
        self._unfinished[self._tenant] += size
        if self._unfinished[self._tenant] > self._most:
            self.is_over = True
            return {"type": "http.disconnect"}
        return message

    def forget(self) -> None:
        """Subtract the bytes of this body from those of its tenant."""
        self._unfinished[self._tenant] -= self._own
        if self._unfinished[self._tenant] <= 0:
            del self._unfinished[self._tenant]
