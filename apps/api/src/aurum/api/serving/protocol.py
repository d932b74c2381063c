"""The protocol that reads requests from connections: uvicorn's, with a fast path, limits on heads, and draining."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from aurum.api.http.request_state import by_name
from aurum.api.process.drain import DrainingLoop
from aurum.api.serving.fast_path import FastPath

_NEXT_REQUEST_S = 1.0
"""Seconds for a request on a connection that has none under way, while draining."""
_HEAD_S = 15.0
"""Seconds from the connection until the end of the headers of its first request."""
_HEAD_BYTES = 65_536
"""Bytes of headers, beyond those of the first read."""


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which sends cached responses at once and ends connections in good order while the process drains.

    A response of the application's fast path is written where uvicorn would begin a task: that saves two thirds of what a
    request costs. The protocol also ends connections whose request never gets to its end of headers, by bytes or by seconds:
    uvicorn waits and buffers without a bound, before any layer sees the request.
    """

    def __init__(self, config: uvicorn.Config, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        loop = self.loop
        assert isinstance(loop, DrainingLoop)
        self._drain = loop.drain
        self._head_left = -1
        """Bytes left for headers; below 0 while none are being read."""
        self._begun = 0
        """Number of requests whose reading has begun."""
        self._fast_path: FastPath | None = app_state.get("fast_path")
        self._has_request = False
        """Whether a request has come on this connection."""
        self._answered = False
        """Whether the request that is being read has been answered already."""
        self._server_headers: tuple[object, bytes] = (None, b"")
        app_state["drain"] = loop.drain

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] - as uvicorn has it
        super().connection_made(transport)
        if self._drain.draining:
            self.loop.call_later(_NEXT_REQUEST_S, super().shutdown)
        else:
            self.loop.call_later(_HEAD_S, self._end_if_headless)

    def data_received(self, data: bytes) -> None:
        left, begun = self._head_left, self._begun
        super().data_received(data)
        if left >= 0 and self._head_left >= 0 and self._begun == begun:
            # All of the data belongs to a head that has not ended.
            self._head_left -= len(data)
            if self._head_left < 0 and not self.transport.is_closing():
                self.send_400_response("The headers of the request are too long.")

    def on_message_begin(self) -> None:
        # Only what reading the head needs; uvicorn's method makes a scope, and is called when the application is.
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self._head_left = _HEAD_BYTES
        self._begun += 1

    def on_headers_complete(self) -> None:
        self._head_left = -1
        self._has_request = True
        drain = self._drain
        drain.requests += 1
        if self._fast_path is not None and not drain.draining and self._answers_at_once(self._fast_path):
            return
        # A response sent at once for this same read may have set it: the connection is not idle now.
        self._unset_keepalive_if_required()
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers.extend(headers)
        super().on_headers_complete()
        assert self.parser is not None
        if self.parser.get_http_version() == "1.0":
            _send_no_chunks(self.cycle)
        if drain.draining:
            # uvicorn then sends ``Connection: close``.
            self.cycle.keep_alive = False

    def _answers_at_once(self, fast_path: FastPath) -> bool:
        parser, before = self.parser, self.cycle
        assert parser is not None
        if (
            parser.get_method() != b"GET"
            or not parser.should_keep_alive()
            or parser.get_http_version() != "1.1"
            or parser.should_upgrade()
            or self.flow.write_paused
            # Responses go out in the order of their requests.
            or (before is not None and not before.response_complete)
        ):
            return False
        headers = self.server_state.default_headers
        if self._server_headers[0] is not headers:
            self._server_headers = headers, b"".join(b"%s: %s\r\n" % pair for pair in headers)
        answer = fast_path.response(self.url, by_name(self.headers), self.app_state, self._server_headers[1])
        if answer is None:
            return False
        self.transport.write(answer)
        self._answered = True
        self.on_response_complete()
        return True

    def on_message_complete(self) -> None:
        if self._answered:
            self._answered = False
        else:
            super().on_message_complete()

    def _end_if_headless(self) -> None:
        if not self._has_request and not self.transport.is_closing():
            self.transport.close()

    def shutdown(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            # Its answer says that it is the last of the connection.
            super().shutdown()
        else:
            # Closed at once, it would lose a request that its client has just sent.
            self.loop.call_later(_NEXT_REQUEST_S, super().shutdown)


def _send_no_chunks(cycle: RequestResponseCycle) -> None:
    """Let a response without a length end with its connection.

    HTTP/1.0 has no chunks, and uvicorn sends them all the same (RFC 9112, 6.1 and 6.3). It closes such connections.
    """
    send = cycle.send
    lengthless = False

    async def send_no_chunks(message: ASGISendEvent) -> None:
        nonlocal lengthless
        if message["type"] == "http.response.start":
            lengthless = all(name.lower() != b"content-length" for name, _ in message.get("headers", ()))
            if lengthless:
                cycle.chunked_encoding = False
        elif message["type"] == "http.response.body" and lengthless:
            # uvicorn checks each piece against the rest of the declared length.
            cycle.expected_content_length = len(message.get("body", b""))
        await send(message)

    cycle.send = send_no_chunks
