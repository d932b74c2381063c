"""A load generator that needs nothing installed: HTTP/1.1 keep-alive over raw sockets, in a process of its own.

    python -m bench.load HOST PORT PATH SECONDS CONNECTIONS REQUESTS [HEADER ...]

Ends after so many seconds or requests, whichever comes first; talks to loopback only. Prints one JSON object: requests a
second, percentiles in milliseconds, and how many answers were neither 2xx nor 304.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
_MOST = 200_000


class UnexpectedAnswer(Exception):
    """The server said something that this generator cannot count."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a server bore. ``rate``: answers a second."""

    rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    answers: int
    errors: int


@dataclass(slots=True)
class Tally:
    """What all connections of one run have seen."""

    until: float
    most: int
    sent: int = 0
    errors: int = 0
    latencies: list[float] = field(default_factory=list[float])

    def another(self) -> bool:
        """Whether there is time and room for one more request; counts it."""
        if self.sent >= self.most or time.perf_counter() >= self.until:
            return False
        self.sent += 1
        return True


class Connection(asyncio.Protocol):
    """One connection: a request, its whole answer, the next request."""

    def __init__(self, request: bytes, tally: Tally) -> None:
        self._request = request
        self._tally = tally
        self._head = b""
        self._missing = -1
        self._began = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        if self._missing >= 0:
            self._missing -= len(data)
        elif not self._begins(data):
            return
        if self._missing == 0:
            self._answered()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or UnexpectedAnswer("the server closed the connection"))

    def _begins(self, data: bytes) -> bool:
        """Take in the head of an answer; False while it is not there, or when it cannot be counted."""
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            return False
        try:
            length = content_length(self._head[:end])
        except UnexpectedAnswer as error:
            self._end(error)
            return False
        self._missing = length - (len(self._head) - end - 4)
        return True

    def _answered(self) -> None:
        self._tally.latencies.append(time.perf_counter() - self._began)
        if self._head[9:10] != b"2" and self._head[9:12] != b"304":
            self._tally.errors += 1
        self._next()

    def _next(self) -> None:
        self._head, self._missing = b"", -1
        if not self._tally.another():
            self._end(None)
            return
        self._began = time.perf_counter()
        self._transport.write(self._request)

    def _end(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)
        self._transport.close()


def content_length(head: bytes) -> int:
    """Bytes of the body that follows a response head. Raises ``UnexpectedAnswer`` for a body of unknown length."""
    lower = head.lower()
    position = lower.find(b"\r\ncontent-length:")
    if position >= 0:
        return int(lower[position + 17 :].split(b"\r\n", 1)[0])
    if b"\r\ntransfer-encoding:" in lower:
        raise UnexpectedAnswer("an answer of unknown length: bench.drain reads those")
    return 0


async def bear(host: str, port: int, request: bytes, *, seconds: float, connections: int, most: int) -> Load:
    """Keep so many connections busy with one request, and say what came back. Raises ``UnexpectedAnswer``, ``OSError``."""
    began = time.perf_counter()
    tally = Tally(began + seconds, most)
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: Connection(request, tally), host, port) for _ in range(connections)]
    await asyncio.gather(*(connection.done for _, connection in made))
    took = time.perf_counter() - began
    ordered = sorted(tally.latencies)

    def at(share: float) -> float:
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000

    return Load(len(ordered) / took, at(0.5), at(0.95), at(0.99), len(ordered), tally.errors)


def get(host: str, port: int, path: str, *headers: str) -> bytes:
    """The bytes of a GET."""
    return "\r\n".join([f"GET {path} HTTP/1.1", f"Host: {host}:{port}", *headers, "", ""]).encode()


def measure(url: str, *, seconds: float, connections: int = 8, most: int = _MOST, headers: tuple[str, ...] = ()) -> Load:
    """Load a loopback URL from another process. Raises ``ValueError`` for any other host, ``CalledProcessError``."""
    host, port, path = loopback(url)
    command = [sys.executable, "-m", "bench.load", host, str(port), path, str(seconds), str(connections), str(most), *headers]
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + 60)
    return Load(**json.loads(done.stdout))


def loopback(url: str) -> tuple[str, int, str]:
    """Host, port, and path with query of a loopback URL. Raises ``ValueError`` for any other host."""
    parts = urlsplit(url)
    if parts.hostname != LOOPBACK:
        raise ValueError(f"load goes to {LOOPBACK} only, not to {parts.hostname}")
    path = parts.path or "/"
    return parts.hostname, parts.port or 80, f"{path}?{parts.query}" if parts.query else path


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # comes with the API; with it the generator is not what is measured
    except ImportError:
        return None
    return uvloop.new_event_loop


def main(arguments: list[str]) -> None:
    """Run, print what was found."""
    host, port, path, seconds, connections, most, *headers = arguments
    request = get(host, int(port), path, *headers)
    work = bear(host, int(port), request, seconds=float(seconds), connections=int(connections), most=int(most))
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        print(json.dumps(asdict(runner.run(work))))


if __name__ == "__main__":
    main(sys.argv[1:])
