"""HEAD wherever there is GET: the same status and headers, no body."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Head:
    """Pure ASGI. Handlers see a GET; ``scope["is_head"]`` lets one that streams save its work."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        inner = {**scope, "method": "GET", "is_head": True}
        await self._app(inner, receive, send_without_body)
        if "route" in inner:
            scope["route"] = inner["route"]  # metrics count it as HEAD
