"""The outermost layer: every request has an id, a state and a time, and every answer bears the headers all answers bear."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aurum.api.http.problems import bug_response
from aurum.api.http.request_state import HeaderList, RequestState, by_name
from aurum.common.telemetry.logging import current_work

_SANE = re.compile(rb"[A-Za-z0-9._:-]{1,128}")

Observer = Callable[[Scope, RequestState], None]
"""Told of each request when its answer has gone out, also of one that broke off."""


class RequestContext:
    """Pure ASGI. The caller's ``X-Request-Id`` is kept when it is a sane one, else a new one is made; it goes out again.

    ``headers``: on every answer. ``observers``: told of every request.
    """

    def __init__(self, app: ASGIApp, *, headers: HeaderList, observers: Sequence[Observer] = ()) -> None:
        self._app = app
        self._headers = headers
        self._observers = observers
        # Random a process and counted a request: unique, and thirty times cheaper than random each time.
        self._prefix = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = by_name(scope["headers"])
        if len(given) < len(scope["headers"]):
            # What is below reads either: an answer must not be made for one of two values and kept for the other.
            scope["headers"] = list(given.items())
        state = RequestState(self._request_id(given), time.perf_counter(), given)
        scope["aurum"] = state
        current_work.set(state)
        common = self._headers

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                state.status = message["status"]
                state.begun = time.perf_counter()
                own = (b"x-request-id", state.request_id.encode())
                if state.status == 304:
                    # It updates what the caller has, which bears the others already.
                    message["headers"] = [*message["headers"], own, *state.headers]
                else:
                    policy = (b"content-security-policy", state.content_policy)
                    message["headers"] = [*message["headers"], own, policy, *state.headers, *common]
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            # What is below turns failures into answers; this is a bug in a layer.
            if not state.status:
                await bug_response(Request(scope), error)(scope, receive, send_with_headers)
            raise
        finally:
            for observer in self._observers:
                observer(scope, state)
            scope["state"]["tallies"](scope, state)

    def _request_id(self, given: Mapping[bytes, bytes]) -> str:
        value = given.get(b"x-request-id")
        if value is not None and _SANE.fullmatch(value):
            return value.decode()
        return f"{self._prefix}{next(self._numbers):08x}"
