"""Saturation: as many answers to one request as a server gives, over HTTP/1.1 keep-alive and raw sockets, on loopback only."""

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
    """The result of a saturation run. ``rate``: answers a second. ``errors``: answers that were neither 2xx nor 304."""

    rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    answers: int
    errors: int


@dataclass(slots=True)
class Tally:
    """The counts of one run over all its connections. ``until``: end of the run on ``time.perf_counter``."""

    until: float
    most: int
    sent: int = 0
    errors: int = 0
    latencies: list[float] = field(default_factory=list[float])

    def take_request(self) -> bool:
        """Return whether one more request may be sent, and count it."""
        if self.sent >= self.most or time.perf_counter() >= self.until:
            return False
        self.sent += 1
        return True


class Connection(asyncio.Protocol):
    """A connection that sends a request, reads the whole answer, and sends the request again."""

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
        elif not self._read_head(data):
            return
        if self._missing == 0:
            self._answered()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or UnexpectedAnswer("the server closed the connection"))

    def _read_head(self, data: bytes) -> bool:
        """Read the head of an answer. Return False if it is incomplete, or if the answer has no known length."""
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
        if not self._tally.take_request():
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


async def saturate(host: str, port: int, request: bytes, *, seconds: float, connections: int, most: int) -> Load:
    """Keep several connections busy with one request and return the result. Raises ``UnexpectedAnswer``, ``OSError``."""
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
    """Saturate a loopback URL from another process. Raises ``ValueError`` for any other host, ``CalledProcessError``."""
    host, port, path = loopback(url)
    arguments = [host, str(port), path, str(seconds), str(connections), str(most)]
    command = [sys.executable, "-m", "bench.load.process", *arguments, *headers]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + 60)
    return Load(**json.loads(done.stdout))
