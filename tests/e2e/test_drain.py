"""SIGTERM under load: accepted requests are answered completely before the service stops listening."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path

import httpx
import pytest

from aurum.storage.testing.waiting import PATIENCE_S, wait_until, wait_until_blocking

from .conftest import environment

pytestmark = pytest.mark.e2e
HERE = Path(__file__).parent


@contextmanager
def service(
    workers: int, *, drain_s: float = 1.0, quiet_s: float = 0.25, next_request_s: float = 1.0
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(HERE / "draining_service.py"), *map(str, (port, workers, drain_s, quiet_s, next_request_s))]
    process = subprocess.Popen(command, env=environment(PYTHONPATH=str(HERE)), stderr=subprocess.PIPE, start_new_session=True)
    try:
        answering: set[str] = set()
        wait_until_blocking(lambda: len(has_worker(port, answering)) == workers)
        yield process, port
    finally:
        # The workers too, because they hold the other end of the pipe.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def get(port: int, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=PATIENCE_S)


def request(connection: socket.socket, path: str) -> HTTPResponse:
    """Send a request on an open connection, and return the answer, read to its end."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    answer = HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer


def has_worker(port: int, seen: set[str]) -> set[str]:
    """Add the worker that answers to those seen."""
    with contextlib.suppress(httpx.TransportError):
        seen.add(get(port, "/worker").text.split()[0])
    return seen


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return True
    return False


class Caller:
    """A client that sends requests until connections are refused. ``keeps``: whether it keeps connections open."""

    def __init__(self, port: int, path: str, *, keeps: bool) -> None:
        self.port, self.path, self.keeps = port, path, keeps
        self.seen: Counter[str] = Counter()

    async def run(self) -> Counter[str]:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except (ConnectionRefusedError, ConnectionResetError):
                # No connection either way, so no request was lost.
                self.seen["refused"] += 1
                return self.seen
            try:
                while await self._request(reader, writer):
                    pass
            except (OSError, EOFError) as error:
                self.seen[f"lost: {error!r}"] += 1
            finally:
                writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        keep = "keep-alive" if self.keeps else "close"
        writer.write(f"GET {self.path} HTTP/1.1\r\nHost: x\r\nConnection: {keep}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b"transfer-encoding: chunked" in head:
            await reader.readuntil(b"\r\n0\r\n\r\n")
        else:
            await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
        self.seen["answered" if head.startswith(b"http/1.1 200") else "lost: " + head[:20].decode()] += 1
        closes = b"connection: close" in head
        self.seen["told to close"] += closes and self.keeps
        return self.keeps and not closes


async def load_while_stopping(process: subprocess.Popen[bytes], port: int, number: int) -> Counter[str]:
    callers = [Caller(port, "/work", keeps=True) for _ in range(8)]
    callers += [Caller(port, "/work", keeps=False) for _ in range(8)]
    callers += [Caller(port, "/stream", keeps=True) for _ in range(2)]
    tasks = [asyncio.create_task(caller.run()) for caller in callers]
    await wait_until(lambda: sum(caller.seen["answered"] for caller in callers) > 200)
    process.send_signal(number)
    return sum(await asyncio.gather(*tasks), Counter())


@pytest.mark.parametrize("workers", [1, 2])
async def test_under_load_no_accepted_request_is_lost(workers: int) -> None:
    # Every caller sends its request at once, but a busy machine may pause it for seconds after it has connected.
    with service(workers, next_request_s=PATIENCE_S) as (process, port):
        seen = await load_while_stopping(process, port, signal.SIGTERM)
        process.wait(PATIENCE_S)
    assert [one for one in seen if one.startswith("lost")] == []
    assert seen["answered"] > 200
    assert seen["told to close"] >= 8
    assert seen["refused"] == 18


async def test_without_a_time_to_drain_it_is_the_same() -> None:
    with service(1, drain_s=0.0, next_request_s=PATIENCE_S) as (process, port):
        callers = [Caller(port, "/work", keeps=False) for _ in range(12)]
        tasks = [asyncio.create_task(caller.run()) for caller in callers]
        await wait_until(lambda: sum(caller.seen["answered"] for caller in callers) > 50)
        process.send_signal(signal.SIGTERM)
        seen = sum(await asyncio.gather(*tasks), Counter())
        process.wait(PATIENCE_S)
    assert [one for one in seen if one.startswith("lost")] == []


@pytest.mark.parametrize("workers", [1, 2])
def test_it_says_that_it_is_not_ready_while_it_still_answers(workers: int) -> None:
    with service(workers, drain_s=3600.0, quiet_s=3600.0) as (process, port):
        process.terminate()
        wait_until_blocking(lambda: get(port, "/ready").status_code == 503)
        assert get(port, "/work").status_code == 200


def test_without_requests_it_does_not_drain_for_as_long_as_it_may() -> None:
    with service(1, drain_s=3600.0) as (process, _):
        process.terminate()
        process.wait(PATIENCE_S)


def test_a_long_request_is_finished() -> None:
    with service(1, drain_s=0.0) as (process, port):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /work?s=1.5 HTTP/1.1\r\nHost: x\r\n\r\n")
            wait_until_blocking(lambda: get(port, "/worker").text.endswith(" 1"))
            process.terminate()
            answer = b""
            while part := connection.recv(65536):
                answer += part
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b"done")
        assert process.wait(PATIENCE_S) in (0, -signal.SIGTERM)


@pytest.mark.parametrize("before", [0, 1], ids=["connected", "answered before"])
def test_a_request_on_an_open_connection_a_moment_later_is_answered(before: int) -> None:
    with service(1, drain_s=0.0, next_request_s=PATIENCE_S) as (process, port):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            for _ in range(before):
                assert "connection" not in request(connection, "/worker").headers
            process.terminate()
            wait_until_blocking(lambda: refuses(port))
            answer = request(connection, "/work")
        assert answer.status == 200
        assert answer.headers["connection"] == "close"
        process.wait(PATIENCE_S)


def test_headers_without_an_end_are_refused() -> None:
    with service(1, drain_s=0.0) as (process, port), socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /work HTTP/1.1\r\nHost: x\r\n")
        headers = b"".join(b"x-%d: %s\r\n" % (number, b"a" * 1000) for number in range(20_000))
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            connection.sendall(headers)
        assert process.poll() is None
        assert get(port, "/ready").status_code == 200
