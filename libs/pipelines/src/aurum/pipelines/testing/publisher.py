"""A publisher on loopback for tests: it answers as its test scripts it, and remembers what was requested.

It stands for the ways in which publishers answer: pages, keys, 404 for a day without a file, 429 with ``Retry-After``,
redirects, half a file, a page with status 200, ``ETag`` and 304, and an answer that never ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_TICK_S = 0.005


@dataclass(frozen=True, slots=True)
class Received:
    """A request as the server received it. ``query``: the last value of each parameter. ``headers``: by lower-case name."""

    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. ``cut``: bytes of the body after which the connection ends. ``drips``: one byte at a time, without end."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    cut: int | None = None
    drips: bool = False


Script = Callable[[Received], Reply]


class Publisher:
    """A running server. ``replies``: given in turn, the last one again and again; ``script``: decides instead of them."""

    def __init__(self) -> None:
        self.port = 0
        self.received: list[Received] = []
        self.replies: list[Reply] = [Reply(b"a,b\n1,2\n")]
        self.script: Script | None = None
        self.closing = threading.Event()

    def address(self, url: str) -> str:
        """Return the address at which this server stands for a published one; the published host is the first folder."""
        parts = urlsplit(url)
        return f"http://127.0.0.1:{self.port}/{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")

    def reply(self, received: Received) -> Reply:
        """Return the answer to a request."""
        if self.script is not None:
            return self.script(received)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    @property
    def paths(self) -> list[str]:
        """The paths that were requested, in order."""
        return [one.path for one in self.received]


class SteppingClock:
    """A clock that only ``sleep`` moves; ``slept``: the seconds of each call."""

    def __init__(self, now: datetime = datetime(2025, 11, 3, 12, tzinfo=UTC)) -> None:
        self._now = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Move the clock on at once."""
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)


@contextmanager
def publisher_on_loopback() -> Generator[Publisher]:
    """Run a publisher for the length of the block. Its threads end with it."""
    publisher = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            _, host, *folders = parts.path.split("/")
            query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(host, "/" + "/".join(folders), query, headers)
            publisher.received.append(received)
            self._answer(publisher.reply(received))

        def _answer(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if not reply.drips and reply.status not in (204, 304):
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if reply.drips:
                self._drip()
            elif reply.status not in (204, 304):
                self.wfile.write(reply.body if reply.cut is None else reply.body[: reply.cut])
            self.close_connection = True

        def _drip(self) -> None:
            try:
                while not publisher.closing.wait(_TICK_S):
                    self.wfile.write(b"1")
                    self.wfile.flush()
            except OSError:
                return  # the client has ended the download

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    publisher.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield publisher
    finally:
        publisher.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
