"""A small application behind the real server, and raw connections to it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.types import Message, Receive, Scope, Send

from aurum.api.testing.listening import listening
from aurum.common.settings import Settings
from aurum.common.settings.limits import LimitsSettings

_PATIENCE_S = 300
"""How long a server may take; one that never answers fails the test."""


@dataclass
class Probe:
    """An application that tells what it received, and whether its clients were gone.

    ``/stream`` sends until its client is gone, ``/early`` answers before it has the body, ``/hold`` waits for ``released``.
    """

    gone: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["path"] == "/stream":
            await self._stream(receive, send)
        elif scope["path"] == "/early":
            await _answer(send, 401, b"no")
        else:
            body, more = b"", True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    self.gone.set()
                    return
                body, more = body + message.get("body", b""), message.get("more_body", False)
            if scope["path"] == "/hold":
                await asyncio.to_thread(self.released.wait)
            headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
            document = {"path": scope["path"], "size": len(body), "headers": headers}
            await _answer(send, 200, json.dumps(document).encode())

    async def _stream(self, receive: Receive, send: Send) -> None:
        leaving = asyncio.create_task(_until_gone(receive))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while not leaving.done():
                await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})
                await asyncio.sleep(0)
        finally:
            leaving.cancel()
            self.gone.set()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message: Message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def probed(probe: Probe | None = None, **limits: float) -> Iterator[str]:
    """Run the application behind the server with these limits and yield its address."""
    settings = Settings(limits=LimitsSettings.model_validate(limits))
    with listening(settings, probe or Probe()) as url:
        yield url


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    host, _, port = urlsplit(url).netloc.partition(":")
    with socket.create_connection((host, int(port)), timeout=_PATIENCE_S) as stream:
        yield stream


@dataclass(frozen=True)
class Response:
    """A response. ``headers``: by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        return json.loads(self.body)


def read_responses(stream: socket.socket) -> list[Response]:
    """Read responses with a length until the server closes the connection."""
    data = b""
    try:
        while piece := stream.recv(1 << 16):
            data += piece
    except ConnectionResetError:
        pass  # closed with unread bytes
    responses = []
    while data:
        response, data = _response(data)
        responses.append(response)
    return responses


def read_response(stream: socket.socket) -> Response:
    """Read one response with a length."""
    data = b""
    while True:
        head, end, rest = data.partition(b"\r\n\r\n")
        if end and len(rest) >= _length(head):
            return _response(data)[0]
        piece = stream.recv(1 << 16)
        assert piece, f"closed after {data!r}"
        data += piece


def _response(data: bytes) -> tuple[Response, bytes]:
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    length = _length(head)
    return Response(int(first.split()[1]), headers, rest[:length]), rest[length:]


def _length(head: bytes) -> int:
    return next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))


def trickle(stream: socket.socket, piece: bytes, *, most: int) -> int:
    """Send a piece again and again until the server closes the connection or ``most`` bytes are sent; return the bytes sent."""
    sent = 0
    try:
        while sent < most:
            stream.sendall(piece)
            sent += len(piece)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return sent
