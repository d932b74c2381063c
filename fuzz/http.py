"""Damaged requests on raw sockets to a service: it answers or closes, never with a 500, and lives in bounded memory."""

from __future__ import annotations

import asyncio
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from aurum.common.settings import environment
from aurum.storage.embedded import EmbeddedPostgres
from aurum.storage.migrations.run import upgrade
from fuzz.mutate import damaged

_READ_S = 0.2
_LIVE_EVERY = 50
_LIVE_WITHIN_S = 60.0
_MOST_GROWTH = 300 << 20
"""Bytes of resident memory that the service may gain."""
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_QUERY = b'{"series":["nyiso:damlbmp_zone:61761:lmp"],"start":"2025-11-02","end":"2025-11-03"}'
_CHUNKED = b"%x\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(_QUERY), _QUERY)
_SEEDS = [
    b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /v2/series?limit=5 HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/csv\r\nAccept-Encoding: gzip, br;q=0.5\r\n\r\n",
    b"GET /v2/series/a:b:c:d/observations?start=2025-11-02&freq=1d&tz=market HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b'If-None-Match: "x"\r\n\r\n',
    b"HEAD /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    b"OPTIONS /v2/series HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://example.org\r\n"
    b"Access-Control-Request-Method: GET\r\n\r\n",
    b"POST /v2/observations/query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
    % (len(_QUERY), _QUERY),
    b"POST /v2/observations/query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nIdempotency-Key: k1\r\n"
    b"Transfer-Encoding: chunked\r\nTrailer: X-Trailer\r\n\r\n" + _CHUNKED,
    b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
    b"GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /docs HTTP/1.0\r\nAuthorization: Bearer a.b.c\r\nX-Forwarded-For: ::1\r\nRange: bytes=0-10\r\n"
    b"Expect: 100-continue\r\n\r\n",
]


@dataclass(slots=True)
class Tally:
    """Numbers of answers by status (``none``: the connection was closed), and the failures with the bytes that were sent."""

    answers: Counter[str] = field(default_factory=Counter[str])
    failures: dict[str, bytes] = field(default_factory=dict[str, bytes])


def run(seconds: float, seed: int, *, most: int | None = None) -> Tally:
    """Send damaged requests, at most ``most``, for some seconds to a service that is started for them."""
    draw, tally = random.Random(seed), Tally()
    with tempfile.TemporaryFile() as errors, _service(errors) as (process, port):
        before = _resident(process.pid)
        end, sent = time.monotonic() + seconds, 0
        request = b""
        while time.monotonic() < end and (most is None or sent < most):
            request = b"".join(draw.choice(_SEEDS) for _ in range(draw.choice((1, 1, 1, 2, 3))))
            request = damaged(draw, request, _SEEDS)
            answer = _exchange(draw, port, request)
            statuses = [status.decode() for status in _STATUS.findall(answer)] or ["none"]
            tally.answers.update(statuses)
            if "500" in statuses:
                tally.failures.setdefault("status 500", request)
            sent += 1
            if sent % _LIVE_EVERY == 0 and not _is_live(port):
                tally.failures["the service does not answer"] = request
                break
        if process.poll() is not None:
            tally.failures["the service has ended"] = request
        elif logged := _traceback(errors):
            tally.failures["the service has logged a traceback"] = logged
        elif (growth := _resident(process.pid) - before) > _MOST_GROWTH:
            tally.failures[f"the service has grown by {growth >> 20} MiB"] = b""
    return tally


def _traceback(errors: IO[bytes]) -> bytes:
    """Return what the service has written from its first traceback on; empty without one."""
    errors.seek(0)
    written = errors.read()
    return written[written.index(b"Traceback") :] if b"Traceback" in written else b""


def _exchange(draw: random.Random, port: int, request: bytes) -> bytes:
    """Send a request in pieces and return what comes back before the connection is silent or closed."""
    answer = b""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=_READ_S) as connection:
        pieces = sorted(draw.randrange(len(request) + 1) for _ in range(draw.choice((0, 0, 1, 3))))
        for start, end in zip([0, *pieces], [*pieces, len(request)], strict=True):
            connection.sendall(request[start:end])
        if draw.random() < 0.2:
            return answer
        while data := connection.recv(65_536):
            answer += data
    return answer


def _is_live(port: int) -> bool:
    end = time.monotonic() + _LIVE_WITHIN_S
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            if connection.recv(65_536).startswith(b"HTTP/1.1 200"):
                return True
    return False


@contextmanager
def _service(errors: IO[bytes]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run the API on an embedded PostgreSQL and a free loopback port. ``errors``: the file that receives its log."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="aurum-fuzz-") as folder, EmbeddedPostgres(Path(folder) / "store") as server:
        variables = {"AURUM_DATABASE__URL": server.url, "AURUM_DATA_DIR": folder, "AURUM_LOGGING__LEVEL": "ERROR"}
        asyncio.run(upgrade(server.url))
        process = subprocess.Popen(
            [sys.executable, "-m", "aurum.api", "serve", "--port", str(port)],
            env=environment(variables),
            stderr=errors,
        )
        try:
            if not _is_live(port):
                raise RuntimeError("the service did not start")
            yield process, port
        finally:
            process.terminate()
            process.wait(60)


def _resident(pid: int) -> int:
    """Return the resident memory of a process in bytes (proc(5), ``statm``)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
