"""Errors as pages for browsers; every other client gets the problem document."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aurum.api.http.problems import MEDIA_TYPE
from aurum.api.http.request_state import HeaderList, RequestState
from aurum.api.pages.accept import ranks
from aurum.api.pages.error_page import error_page
from aurum.api.pages.layout import PAGE_POLICY, html_page

_PROBLEM = MEDIA_TYPE.encode()
_REPLACED = frozenset({b"content-type", b"content-length", b"cache-control", b"vary"})


class ErrorPages:
    """Pure ASGI. A GET whose ``Accept`` prefers HTML to JSON gets a problem document as a page, with the same status.

    ``Accept`` of browsers names ``text/html``; that of HTTP libraries and of programs does not.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            state: RequestState = scope["aurum"]
            accept = state.request_headers.get(b"accept")
            if (
                accept is not None
                and b"text/html" in accept
                and ranks(accept.decode("latin-1"), "text/html", over="application/json")
            ):
                state.shows_errors_as_pages = True
                await self._app(scope, receive, _Translation(scope["path"], state, send).send)
                return
        await self._app(scope, receive, send)


class _Translation:
    """One response on its way to a browser: a problem document is collected and sent as a page, anything else as it is."""

    def __init__(self, path: str, state: RequestState, send: Send) -> None:
        self._path = path
        self._state = state
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_problem(message["headers"]):
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_page(self._start)
        else:
            await self._send(message)

    async def _send_page(self, start: Message) -> None:
        document: dict[str, Any] = orjson.loads(self._body)
        title = f"{document['status']} {document['title']}"
        body = html_page(self._path, title, error_page(document)).encode()
        headers: HeaderList = [pair for pair in start["headers"] if pair[0].lower() not in _REPLACED]
        headers += [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", b"%d" % len(body)),
            # A page must not be cached for a client that wants the document.
            (b"cache-control", b"no-store"),
            (b"vary", b"Accept"),
        ]
        self._state.content_policy = PAGE_POLICY
        await self._send({**start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _is_problem(headers: HeaderList) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(_PROBLEM) for name, value in headers)
