"""As many answers to one request as a server gives: HTTP/1.1 keep-alive over raw sockets, on loopback only."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from bench.load.wire import UnexpectedAnswer, content_length, loopback

_MOST = 200_000


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


def measure(url: str, *, seconds: float, connections: int = 8, most: int = _MOST, headers: tuple[str, ...] = ()) -> Load:
    """Load a loopback URL from another process. Raises ``ValueError`` for any other host, ``CalledProcessError``."""
    host, port, path = loopback(url)
    given = [host, str(port), path, str(seconds), str(connections), str(most)]
    command = [sys.executable, "-m", "bench.load.process", *given, *headers]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + 60)
    return Load(**json.loads(done.stdout))
