"""The outermost layer: each request gets an id, a state and a start time, each response the common headers."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aurum.api.http.problems import bug_response
from aurum.api.http.request_state import HeaderList, RequestState, by_name, policy_for
from aurum.api.security.links import take_link
from aurum.common.telemetry.logging import current_work
from aurum.services.usage import UsageCounter

_SANE = re.compile(rb"[A-Za-z0-9._:-]{1,128}")

Observer = Callable[[Scope, RequestState], None]
"""Called for each request when its response has been sent, also when it broke off."""


class RequestContext:
    """Pure ASGI. A valid ``X-Request-Id`` of the client is used, else a new id is made; the response repeats it.

    ``headers``: of every response. ``observers``: called for every request.
    """

    def __init__(self, app: ASGIApp, *, headers: HeaderList, observers: Sequence[Observer] = ()) -> None:
        self._app = app
        self._headers = headers
        self._observers = observers
        # A random prefix for the process and a number for the request: unique, and thirty times cheaper than a random id.
        self._prefix = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_headers = by_name(scope["headers"])
        if len(request_headers) < len(scope["headers"]):
            # Layers read either form: a response must not be made for one of two values and cached for the other.
            scope["headers"] = list(request_headers.items())
        state = RequestState(self._request_id(request_headers), time.perf_counter(), request_headers)
        scope["aurum"] = state
        take_link(scope, state)
        current_work.set(state)
        common = self._headers

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                state.status = message["status"]
                state.begun = time.perf_counter()
                own = (b"x-request-id", state.request_id.encode())
                if state.status == 304:
                    # It updates a response that the client has, which has the other headers already.
                    message["headers"] = [*message["headers"], own, *state.headers]
                else:
                    policy = policy_for(message["headers"], state.content_policy)
                    message["headers"] = [*message["headers"], own, *policy, *state.headers, *common]
            elif state.is_counted and message["type"] == "http.response.body":
                usage: UsageCounter = scope["state"]["usage"]
                usage.count(state.caller, time.monotonic(), size=len(message.get("body", b"")))
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            # Layers below turn failures into responses; this is a bug in a layer.
            if not state.status:
                await bug_response(Request(scope), error)(scope, receive, send_with_headers)
            raise
        finally:
            for observer in self._observers:
                observer(scope, state)
            scope["state"]["tallies"](scope, state)
            if state.is_counted:
                usage: UsageCounter = scope["state"]["usage"]
                points = state.points if scope["method"] != "HEAD" else 0
                usage.count(state.caller, time.monotonic(), requests=1, points=points)

    def _request_id(self, headers: Mapping[bytes, bytes]) -> str:
        value = headers.get(b"x-request-id")
        if value is not None and _SANE.fullmatch(value):
            return value.decode()
        return f"{self._prefix}{next(self._numbers):08x}"
