"""Bounds of connections, over raw sockets to the server."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest
from starlette.types import Receive, Scope, Send

from aurum.api.testing import Served
from aurum.api.testing.listening import listening
from aurum.common.settings import Settings
from aurum.storage.testing.waiting import wait_until_blocking

shows = pytest.mark.shows
PATIENCE_S = 300.0


class Application:
    """Reads the body and answers; ``/stream`` sends until its client is gone."""

    def __init__(self) -> None:
        self.gone = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        while (message := await receive()).get("more_body", False):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/stream":
            leaving = asyncio.ensure_future(receive())
            while not leaving.done():
                await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})
                await asyncio.sleep(0)
            self.gone.set()
        elif message["type"] == "http.request":
            await send({"type": "http.response.body", "body": b""})


@contextmanager
def connected(settings: Settings, application: Application) -> Iterator[socket.socket]:
    with listening(settings, application) as url:
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port), timeout=PATIENCE_S) as stream:
            yield stream


@shows(AURUM_LIMITS__HEAD_S="0.2")
def test_headers_that_do_not_come_are_408(settings: Settings) -> None:
    def is_408() -> bool:
        with connected(settings, Application()) as stream, suppress(ConnectionError):
            stream.sendall(b"GET / HTTP/1.1\r\n")
            # A busy machine sends so late that the connection is closed as one without a request.
            return stream.recv(1000).startswith(b"HTTP/1.1 408 ")
        return False

    wait_until_blocking(is_408)


@shows(AURUM_LIMITS__BODY_S="0.2")
def test_a_body_that_does_not_come_is_408(settings: Settings) -> None:
    with connected(settings, Application()) as stream:
        stream.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
        assert stream.recv(1000).startswith(b"HTTP/1.1 408 ")


@shows(AURUM_LIMITS__IDLE_S="0.2")
def test_a_connection_without_a_further_request_is_closed(settings: Settings) -> None:
    with connected(settings, Application()) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        received = b""
        while data := stream.recv(1000):
            received += data
        assert received.startswith(b"HTTP/1.1 200 ")


@shows(AURUM_LIMITS__SEND_S="0.2")
def test_a_client_that_does_not_read_is_dropped(settings: Settings) -> None:
    application = Application()
    with connected(settings, application) as stream:
        stream.sendall(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
        assert application.gone.wait(PATIENCE_S)


@shows(AURUM_LIMITS__UNFINISHED_BYTES="10")
async def test_bodies_of_a_tenant_that_still_arrive_are_bounded(served: Served) -> None:
    whole = await served.client.post("/v2/observations/query", content=b"x" * 10)
    longer = await served.client.post("/v2/observations/query", content=b"x" * 11)
    assert (whole.status_code, longer.status_code) == (422, 503)
