"""Content codings: whole responses are compressed in one go, streams piece by piece. Cached responses are cached compressed."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aurum.api.cache.etag import tag_of_coding, without_coding
from aurum.api.encoding.content import LEAST_BYTES, Compressor, chosen_coding, compressed, compressor
from aurum.api.http.request_state import HeaderList, RequestState

_WORTH_IT = (
    b"application/json",
    b"application/problem+json",
    b"application/x-ndjson",
    b"application/vnd.apache.arrow.stream",
    b"application/javascript",
    b"image/svg+xml",
    b"text/",
)
"""Prefixes of media types that are compressed. Parquet is compressed inside."""
_EVENTS = b"text/event-stream"
"""Not compressed: a compressor for each listener takes more memory than its small events are worth."""


class Compression:
    """Pure ASGI. Stands below the response cache, so nothing is compressed twice.

    A strong tag names bytes, so each coding has its own (RFC 9110, 8.8.3.3): ``"abc"`` becomes ``"abc-zstd"``. Layers
    below see ``If-None-Match`` without such endings.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state: RequestState = scope["aurum"]
        tag = state.request_headers.get(b"if-none-match")
        if tag is not None:
            bare = without_coding(tag)
            scope["headers"] = [(name, bare if name == b"if-none-match" else value) for name, value in scope["headers"]]
        coding = chosen_coding(state.request_headers.get(b"accept-encoding"))
        is_head = bool(scope.get("is_head"))
        if coding is None and tag is None and not is_head:
            await self._app(scope, receive, _as_it_is(send))
        else:
            await self._app(
                scope, receive, _Answer(send, coding, tag, is_head=is_head, skips_problems=state.shows_errors_as_pages).send
            )


def _as_it_is(send: Send) -> Send:
    """Return a ``send`` that adds ``Vary: Accept-Encoding`` and compresses nothing, for a client that accepts no coding."""

    async def send_as_it_is(message: Message) -> None:
        if message["type"] == "http.response.start" and _may_be_compressed(message["status"], message["headers"]):
            headers: HeaderList = list(message["headers"])
            _add_to(headers, b"vary", b"Accept-Encoding")
            message = {**message, "headers": headers}
        await send(message)

    return send_as_it_is


class _Answer:
    """One response on its way out. ``has``: the ``If-None-Match`` of its request."""

    def __init__(
        self, send: Send, coding: str | None, has: bytes | None, *, is_head: bool, skips_problems: bool = False
    ) -> None:
        self._send = send
        self._coding = coding
        self._has = has
        self._is_head = is_head
        # They are made into pages above, which could not read them compressed.
        self._skips_problems = skips_problems
        self._begun: Message | None = None
        self._compressor: Compressor | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            # Held back until the first bytes come, which tell whether it is whole and how long.
            self._begun = message
        elif message["type"] != "http.response.body":
            await self._send(message)
        elif self._begun is not None:
            begun, self._begun = self._begun, None
            await self._begin(begun, message)
        elif self._compressor is not None:
            await self._send(self._piece(self._compressor, message))
        else:
            await self._send(message)

    async def _begin(self, begun: Message, message: Message) -> None:
        headers: HeaderList = list(begun["headers"])
        if (self._skips_problems and begun["status"] >= 400) or not _may_be_compressed(begun["status"], headers):
            await self._send(begun)
            await self._send(message)
            return
        _add_to(headers, b"vary", b"Accept-Encoding")
        whole = not message.get("more_body", False)
        body = message.get("body", b"")
        if begun["status"] == 304:
            await self._send({**begun, "headers": self._unchanged(headers)})
            await self._send(message)
            return
        # A GET would have got a stream: of unknown length, and compressed.
        only_headers = self._is_head and not body
        if self._coding is None or (whole and len(body) < LEAST_BYTES and not only_headers):
            await self._send({**begun, "headers": headers})
            await self._send(message)
            return
        headers = [pair for pair in headers if pair[0] != b"content-length"]
        _encoded(headers, self._coding)
        if only_headers:
            await self._send({**begun, "headers": headers})
            await self._send(message)
            return
        if whole:
            body = compressed(body, self._coding)
            headers.append((b"content-length", str(len(body)).encode()))
            message = {**message, "body": body}
        else:
            self._compressor = compressor(self._coding)
            message = self._piece(self._compressor, message)
        await self._send({**begun, "headers": headers})
        await self._send(message)

    def _unchanged(self, headers: HeaderList) -> HeaderList:
        """Return the headers of a 304, with the tag of the coding that the client has."""
        if self._coding is None or self._has is None:
            return headers
        return [
            (name, coded) if name == b"etag" and (coded := tag_of_coding(value, self._coding)) in self._has else (name, value)
            for name, value in headers
        ]

    def _piece(self, made: Compressor, message: Message) -> Message:
        body = made.compress(message.get("body", b""))
        # A piece is flushed whole: the client works on it while the next is made, and no data gathers here.
        body += made.flush() if message.get("more_body", False) else made.finish()
        return {**message, "body": body}


def _may_be_compressed(status: int, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    if status < 200 or status == 204:
        return False
    worth_it = status == 304
    for name, value in headers:
        if name == b"content-encoding":
            return False
        if name == b"content-type":
            worth_it = worth_it or (value.startswith(_WORTH_IT) and not value.startswith(_EVENTS))
    return worth_it


def _encoded(headers: HeaderList, coding: str) -> None:
    headers.append((b"content-encoding", coding.encode()))
    for place, (name, value) in enumerate(headers):
        if name == b"etag":
            headers[place] = (name, tag_of_coding(value, coding))


def _add_to(headers: HeaderList, name: bytes, value: bytes) -> None:
    """Add a value to a header that holds a list."""
    for place, (other, held) in enumerate(headers):
        if other == name:
            headers[place] = (name, held + b", " + value)
            return
    headers.append((name, value))
