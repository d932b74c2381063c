"""Retries, breaker and deadlines of statements to Trino, against a server that refuses every request."""

import asyncio
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from aurum.common.resilience.timeout import set_deadline
from aurum.common.settings import TrinoSettings
from aurum.common.settings.resilience import ResilienceSettings
from aurum.storage.testing.http_server import running_server
from aurum.storage.trino import TrinoAway, TrinoPool, TrinoUnavailable

PATIENT = ResilienceSettings(breaker_failures=100, retry_attempts=3, retry_first_wait_s=0.0, retry_jitter_s=0.0)


class Unwilling(ThreadingHTTPServer):
    """Server that counts requests and answers each with ``status``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests = 0
        self.status = 503


class _Handler(BaseHTTPRequestHandler):
    server: Unwilling

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests += 1
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def unwilling() -> Iterator[Unwilling]:
    with running_server(Unwilling()) as server:
        yield server


def settings(server: Unwilling) -> TrinoSettings:
    return TrinoSettings(host="127.0.0.1", port=server.server_port)


async def test_a_read_is_tried_again_and_a_change_is_not(unwilling: Unwilling) -> None:
    pool = TrinoPool(settings(unwilling), PATIENT)
    with pytest.raises(TrinoAway):
        await pool.read("SELECT 1")
    assert unwilling.requests == 3
    with pytest.raises(TrinoAway):
        await pool.execute("DELETE FROM t")
    assert unwilling.requests == 4
    await pool.close()


async def test_an_unavailable_trino_is_not_called_for_a_while(unwilling: Unwilling) -> None:
    once = ResilienceSettings(breaker_failures=2, retry_attempts=1, breaker_open_s=30.0)
    pool = TrinoPool(settings(unwilling), once)
    for _ in range(2):
        with pytest.raises(TrinoAway):
            await pool.read("SELECT 1")
    with pytest.raises(TrinoUnavailable, match="has failed repeatedly") as caught:
        await pool.read("SELECT 1")
    assert caught.value.retry_after is not None
    assert (unwilling.requests, pool.guards.circuits[0].state().circuit) == (2, "open")
    await pool.close()


async def test_a_refused_user_does_not_open_the_circuit(unwilling: Unwilling) -> None:
    unwilling.status = 401
    pool = TrinoPool(settings(unwilling), PATIENT)
    with pytest.raises(TrinoUnavailable, match="refuses the user"):
        await pool.read("SELECT 1")
    assert (unwilling.requests, pool.guards.circuits[0].state().failures) == (1, 0)
    await pool.close()


async def test_no_request_is_sent_after_the_deadline(unwilling: Unwilling) -> None:
    pool = TrinoPool(settings(unwilling), PATIENT)

    async def late() -> None:
        set_deadline(0.0)
        await pool.read("SELECT 1")

    with pytest.raises(TrinoUnavailable):
        await asyncio.create_task(late())
    assert unwilling.requests == 0
    await pool.close()


async def test_a_port_without_a_server_is_unavailable() -> None:
    with Unwilling() as server:
        closed = settings(server)
    pool = TrinoPool(closed, PATIENT)
    with pytest.raises(TrinoAway, match="cannot be reached") as refused:
        await pool.read("SELECT 1")
    assert refused.value.where == f"{closed.host}:{closed.port}: Connection refused"
    await pool.close()


def test_a_password_is_not_sent_in_the_open() -> None:
    with pytest.raises(ValueError, match="AURUM_TRINO__TLS"):
        TrinoSettings.model_validate({"host": "trino.example", "password": "secret"})
