"""The protocol that reads requests from connections: uvicorn's, with a fast path, draining, and limits of each phase.

A connection waits for a request, reads its head, reads its body, or sends its response. Each phase has a deadline, and what a
client may send in it is bounded: uvicorn waits and buffers without a bound, before any layer sees the request.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
import uvicorn
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from aurum.api.http.problems import BAD_REQUEST, REQUEST_TIMEOUT, Kind
from aurum.api.process.drain import DrainingLoop
from aurum.api.serving.deadline import Deadline
from aurum.api.serving.fast_path import FastPath
from aurum.api.serving.refusal import Unreadable, check_head, reason_of, refusal

_NEXT_REQUEST_S = 1.0
"""Seconds for a request on a connection that has none under way, while draining."""
_SLICE = 16_384
"""Bytes that are parsed at once. After each slice, reading pauses if requests of the connection wait for earlier responses."""
_HEAD_BYTES = 65_536
"""Bytes of headers, beyond those of the first slice."""
_HEADER_LINES = 256
_FRAMING_BYTES = 16_384
"""Bytes in a row of a body that are not its content: sizes and extensions of chunks, trailers."""
_DISCARDED_BYTES = 64 << 20
"""Bytes of a body that are read and dropped after its response: closing the connection at once could lose the response."""
_LEAST_READ = 16_384
"""Bytes of a response that a client must read within ``limits.send_s``."""


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which sends cached responses at once and ends connections in good order while the process drains.

    A cached response is written where uvicorn would begin a task, which saves two thirds of the cost of a request.
    """

    def __init__(self, config: uvicorn.Config, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        loop = self.loop
        assert isinstance(loop, DrainingLoop)
        self._drain = loop.drain
        self._limits = loop.limits
        self._deadline = Deadline(loop, self._time_is_up)
        """The end of the present phase."""
        self._sending = Deadline(loop, self._look_at_unsent)
        """Set while the client leaves responses unread."""
        self._unsent = 0
        """Bytes that the client had not read when ``_sending`` was set."""
        self._head_left = -1
        """Bytes left for headers; below 0 while none are being read."""
        self._requests_begun = 0
        """Number of requests that the parser has begun to read."""
        self._in_body = False
        """Whether the body of the last request is being read."""
        self._body_pieces = 0
        """Number of pieces of bodies that the parser has read."""
        self._framing = 0
        """Bytes of the body since its last content."""
        self._discarded = 0
        """Bytes of the body that arrived after its response."""
        self._framing_head: bytes | None = None
        """The head with which the parser reads the body of a request that asked for an upgrade; see ``_body_head``."""
        self._is_replay = False
        """Whether the parser reads that head."""
        self._running: RequestResponseCycle | None = None
        """The request that the application answers."""
        self._is_paused = False
        """Whether received bytes are not parsed: they wait in ``_unparsed`` for earlier responses, or follow a refusal."""
        self._unparsed = b""
        self._final_refusal: bytes | None = None
        """The refusal that is sent after the responses under way, before the connection is closed."""
        self._fast_path: FastPath | None = app_state.get("fast_path")
        self._answered = False
        """Whether the request that is being read has been answered already."""
        self._server_headers: tuple[object, bytes] = (None, b"")
        app_state["drain"] = loop.drain

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] - as uvicorn has it
        super().connection_made(transport)
        self._deadline.set(self._limits.head_s)
        if self._drain.draining:
            self.loop.call_later(_NEXT_REQUEST_S, super().shutdown)

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.end()
        self._sending.end()
        running = self._running
        super().connection_lost(exc)
        if running is not None and not running.response_complete:
            # uvicorn reports the disconnect to the newest request only, which may be waiting for this one.
            running.disconnected = True
            running.message_event.set()

    def data_received(self, data: bytes) -> None:
        if self._is_paused:
            if self._final_refusal is None:
                self._unparsed += data
            self.flow.pause_reading()
        elif len(data) <= _SLICE:
            self._parse(data)
        else:
            self._parse_slices(data)

    def _parse_slices(self, data: bytes) -> None:
        """Parse data to its end, or until requests in it wait for earlier responses: once parsed, each takes more memory."""
        for start in range(0, len(data), _SLICE):
            if self.transport.is_closing():
                return
            if self.pipeline or self._is_paused:
                if self._final_refusal is None:
                    self._is_paused, self._unparsed = True, data[start:]
                    self.flow.pause_reading()
                return
            self._parse(data[start : start + _SLICE])

    def _parse(self, data: bytes) -> None:
        left, begun, in_body, pieces = self._head_left, self._requests_begun, self._in_body, self._body_pieces
        parser, rest = self.parser, data
        assert parser is not None
        while True:
            try:
                parser.feed_data(rest)
            except httptools.HttpParserUpgrade as upgrade:
                # Ignored, as RFC 9110 (7.8) allows. What follows is the body, or the next request.
                rest = rest[upgrade.args[0] :]
                if self._framing_head is not None:
                    rest, self._framing_head, self._is_replay = self._framing_head + rest, None, True
                if rest:
                    continue
            except httptools.HttpParserError as error:
                self._refuse_unreadable(error)
                return
            break
        if self._requests_begun != begun or self._in_body is not in_body or left >= 0 > self._head_left:
            self._renew_deadline()
        elif left >= 0:
            # All of the data belongs to a head that has not ended.
            self._head_left -= len(data)
            if self._head_left < 0:
                self._refuse(BAD_REQUEST, f"the head of a request may have at most {_HEAD_BYTES} bytes")
        elif in_body:
            self._count_body(len(data), has_content=self._body_pieces != pieces)

    def _count_body(self, size: int, *, has_content: bool) -> None:
        self._framing = 0 if has_content else self._framing + size
        if self._framing > _FRAMING_BYTES or len(self.headers) > _HEADER_LINES:
            self._refuse(BAD_REQUEST, "chunk extensions and trailers of the request are too long")
        elif self.cycle.response_complete:
            self._discarded += size
            if self._discarded > _DISCARDED_BYTES:
                self._close()

    def on_message_begin(self) -> None:
        if self._is_replay:
            return
        # Sets only what reading the head needs. uvicorn's method, which makes a scope, is called before the application is.
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self._head_left = _HEAD_BYTES
        self._requests_begun += 1

    def on_headers_complete(self) -> None:
        if self._is_replay:
            self._is_replay = False
            return
        self._head_left = -1
        drain = self._drain
        drain.requests += 1
        if self._fast_path is not None and not drain.draining and self._answers_at_once(self._fast_path):
            return
        parser = self.parser
        assert parser is not None
        check_head(parser.get_method(), parser.get_http_version(), self.headers, most=_HEADER_LINES)
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers.extend(headers)
        super().on_headers_complete()
        if not self.pipeline:
            self._running = self.cycle
        # Trailers are no headers (RFC 9110, 6.5.1): the parser reports them alike, and they are dropped.
        self.headers = []
        self._in_body = True
        self._framing = self._discarded = 0
        if parser.should_upgrade():
            self._framing_head = _body_head(headers)
        if parser.get_http_version() == "1.0":
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
        by_name = dict(self.headers)
        if len(by_name) != len(self.headers) or b"host" not in by_name:
            return False
        headers = self.server_state.default_headers
        if self._server_headers[0] is not headers:
            self._server_headers = headers, b"".join(b"%s: %s\r\n" % pair for pair in headers)
        answer = fast_path.response(self.url, by_name, self.app_state, self._server_headers[1])
        if answer is None:
            return False
        self.transport.write(answer)
        self._answered = True
        self.server_state.total_requests += 1
        return True

    def on_body(self, body: bytes) -> None:
        self._body_pieces += 1
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._answered:
            self._answered = False
        elif self._framing_head is None:
            self._in_body = False
            super().on_message_complete()

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self._watch_unsent()
        elif self.pipeline:
            cycle, app = self.pipeline.pop()
            self._running = cycle
            self._start_asgi_task(cycle, app)
            if not self.pipeline and self._final_refusal is None:
                self._read_on()
        elif self._final_refusal is not None:
            self.transport.write(self._final_refusal)
            self._close()
        else:
            if not self._in_body:
                self._renew_deadline()
            self._read_on()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_unsent()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self._sending.lift()

    def shutdown(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            # The connection ends after its response, which says so unless it has begun.
            super().shutdown()
        else:
            # Closing at once would lose a request that the client has just sent.
            self.loop.call_later(_NEXT_REQUEST_S, super().shutdown)

    def _read_on(self) -> None:
        unparsed, self._unparsed, self._is_paused = self._unparsed, b"", False
        self.flow.resume_reading()
        if unparsed:
            self.data_received(unparsed)

    def _should_upgrade(self) -> bool:
        return False

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _renew_deadline(self) -> None:
        """Set the deadline of the phase that has begun. Empty lines between requests begin no phase."""
        limits = self._limits
        if self._head_left >= 0:
            self._deadline.set(limits.head_s)
        elif self._in_body:
            self._deadline.set(limits.body_s)
        elif self._is_answering():
            # The application has its own deadlines. This one only notices a connection that has been closed.
            self._deadline.set(limits.send_s)
        else:
            self._deadline.set(limits.idle_s)

    def _time_is_up(self) -> None:
        if self.transport.is_closing():
            if not self._sending.is_set:
                self._watch_unsent()
        elif self._in_body and not self.flow.read_paused and not self.pipeline:
            if not self.cycle.response_started:
                detail = f"the body of the request did not arrive within {self._limits.body_s:g} s"
                self._refuse(REQUEST_TIMEOUT, detail)
            elif self.cycle.response_complete:
                self._close()
            else:
                self._renew_deadline()
        elif self._is_answering():
            self._renew_deadline()
        elif self._head_left >= 0:
            detail = f"the head of the request did not arrive within {self._limits.head_s:g} s"
            self._refuse(REQUEST_TIMEOUT, detail)
        else:
            self._close()

    def _watch_unsent(self) -> None:
        self._unsent = self.transport.get_write_buffer_size()
        self._sending.set(self._limits.send_s)

    def _look_at_unsent(self) -> None:
        """Drop a connection whose client reads almost nothing: a response that waits occupies memory and a place."""
        if not self.flow.write_paused and not self.transport.is_closing():
            return
        if self._unsent - self.transport.get_write_buffer_size() >= _LEAST_READ:
            self._watch_unsent()
        else:
            self.logger.info("A client does not read its response: connection dropped.")
            self.transport.abort()

    def _close(self) -> None:
        self.transport.close()
        self._watch_unsent()

    def _refuse_unreadable(self, error: httptools.HttpParserError) -> None:
        cause = error.__context__
        if cause is not None and not isinstance(cause, Unreadable | httptools.HttpParserError | UnicodeError):
            self.logger.error("Request not read because of a bug.", exc_info=cause)
        self._refuse(BAD_REQUEST, reason_of(error))

    def _refuse(self, kind: Kind, detail: str) -> None:
        """Send a problem document and close the connection; responses under way are sent first."""
        if self.transport.is_closing():
            return
        self.logger.info("Request refused: %s.", detail)
        headers = (*self.app_state.get("common_headers", ()), *self.server_state.default_headers)
        document = refusal(kind, detail, self.url if self._requests_begun else b"", headers)
        cycle, is_answering, in_body = self.cycle, self._is_answering(), self._in_body
        self._is_paused, self._unparsed = True, b""
        if is_answering and in_body:
            # The request under way is the one that is refused.
            cycle.disconnected = True
            cycle.message_event.set()
            if self.pipeline:
                self.pipeline.popleft()
                self._final_refusal = document
            elif not cycle.response_started:
                self.transport.write(document)
                self._close()
            else:
                self._close()
        elif is_answering:
            self._final_refusal = document
        elif in_body:
            # The request that is refused has had its response.
            self._close()
        else:
            self.transport.write(document)
            self._close()
        if self._final_refusal is not None:
            self.flow.pause_reading()


def _body_head(headers: list[tuple[bytes, bytes]]) -> bytes | None:
    """Return a head with the framing of a request that asked for an upgrade; None for a request without a body.

    The parser skips the body of such a request, so that it would be taken for the next request.
    """
    framing = [pair for pair in headers if pair[0] in (b"content-length", b"transfer-encoding")]
    if not framing:
        return None
    return b"".join((b"POST / HTTP/1.1\r\n", *(b"%s: %s\r\n" % pair for pair in framing), b"\r\n"))


def _send_no_chunks(cycle: RequestResponseCycle) -> None:
    """Let a response without a length end with its connection.

    HTTP/1.0 has no chunks, and uvicorn sends them all the same (RFC 9112, 6.1 and 6.3). It closes such connections.
    """
    send = cycle.send
    has_no_length = False

    async def send_no_chunks(message: ASGISendEvent) -> None:
        nonlocal has_no_length
        if message["type"] == "http.response.start":
            has_no_length = all(name.lower() != b"content-length" for name, _ in message.get("headers", ()))
            if has_no_length:
                cycle.chunked_encoding = False
        elif message["type"] == "http.response.body" and has_no_length:
            # uvicorn checks each piece against the rest of the declared length.
            cycle.expected_content_length = len(message.get("body", b""))
        await send(message)

    cycle.send = send_no_chunks
