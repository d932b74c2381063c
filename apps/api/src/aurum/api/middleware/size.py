"""Size limits: 414 for the URL, 413 for the body, before it is read or as soon as it is too long."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aurum.api.http.problems import BODY_TOO_LARGE, URL_TOO_LONG
from aurum.api.http.request_state import RequestState
from aurum.api.middleware.refusal import refuse
from aurum.common.settings.limits import LimitsSettings

_POINTS = re.compile(r"/v2/private/series/[^/]+/observations")
_QUOTES = "/v2/curves/quotes"


class Size:
    """Pure ASGI; a request without a body costs two look-ups. ``private_bytes``: longest body with points or quotes."""

    def __init__(self, app: ASGIApp, settings: LimitsSettings, *, private_bytes: int | None = None) -> None:
        self._app = app
        self._most_url = settings.url_bytes
        self._most_body = settings.body_bytes
        self._most_points = settings.body_bytes if private_bytes is None else private_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if len(scope["raw_path"]) + len(scope["query_string"]) > self._most_url:
            detail = f"path and query may have at most {self._most_url} bytes; POST /v2/observations/query takes long queries"
            await refuse(scope, send, URL_TOO_LONG, detail, limit=self._most_url)
            return
        state: RequestState = scope["aurum"]
        length = state.request_headers.get(b"content-length")
        if length is not None:
            # Digits only: the server has refused anything else, and reads no more than it says.
            if int(length) > (most := self._most(scope)):
                await self._refuse(scope, send, most)
                return
        elif b"transfer-encoding" in state.request_headers:
            await self._counted(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a body of unknown length; when it becomes too long, layers below see a disconnect and the client gets 413."""
        most = self._most(scope)
        counted = _Counted(receive, send, most)
        await self._app(scope, counted.receive, counted.send)
        if counted.too_long and not counted.begun:
            await self._refuse(scope, send, most)

    def _most(self, scope: Scope) -> int:
        is_points = scope["method"] == "PUT" and _POINTS.fullmatch(scope["path"]) is not None
        is_points = is_points or (scope["method"] == "POST" and scope["path"] == _QUOTES)
        return self._most_points if is_points else self._most_body

    async def _refuse(self, scope: Scope, send: Send, most: int) -> None:
        detail = f"a body may have at most {most} bytes"
        # The server reads the rest of the body and discards it: closing the connection could lose this response.
        await refuse(scope, send, BODY_TOO_LARGE, detail, limit=most)


class _Counted:
    def __init__(self, receive: Receive, send: Send, most: int) -> None:
        self._receive = receive
        self._send = send
        self._left = most
        self.too_long = False
        self.begun = False

    async def receive(self) -> Message:
        if self.too_long:
            return {"type": "http.disconnect"}
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.too_long = True
            return {"type": "http.disconnect"}
        return message

    async def send(self, message: Message) -> None:
        # Layers below see a disconnect; their response is not the one that the client gets.
        if self.too_long and not self.begun:
            return
        self.begun = True
        await self._send(message)
