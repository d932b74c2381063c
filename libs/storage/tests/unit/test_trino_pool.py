"""What stands around statements to Trino, against a server that only says no."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from aurum.common.resilience.timeout import set_deadline
from aurum.common.settings import TrinoSettings
from aurum.common.settings.resilience import ResilienceSettings
from aurum.storage.trino import TrinoAway, TrinoPool, TrinoUnavailable

PATIENT = ResilienceSettings(breaker_failures=100, retry_attempts=3, retry_first_wait_s=0.0, retry_jitter_s=0.0)


class Unwilling(ThreadingHTTPServer):
    """Counts what it is asked, and answers with ``status``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked = 0
        self.status = 503


class _Handler(BaseHTTPRequestHandler):
    server: Unwilling

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked += 1
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def unwilling() -> Iterator[Unwilling]:
    with Unwilling() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def settings(server: Unwilling) -> TrinoSettings:
    return TrinoSettings(host="127.0.0.1", port=server.server_port)


async def test_a_read_is_tried_again_and_a_change_is_not(unwilling: Unwilling) -> None:
    pool = TrinoPool(settings(unwilling), PATIENT)
    with pytest.raises(TrinoAway):
        await pool.read("SELECT 1")
    assert unwilling.asked == 3
    with pytest.raises(TrinoAway):
        await pool.execute("DELETE FROM t")
    assert unwilling.asked == 4
    await pool.close()


async def test_a_trino_that_is_away_is_left_alone_for_a_moment(unwilling: Unwilling) -> None:
    once = ResilienceSettings(breaker_failures=2, retry_attempts=1, breaker_open_s=30.0)
    pool = TrinoPool(settings(unwilling), once)
    for _ in range(2):
        with pytest.raises(TrinoAway):
            await pool.read("SELECT 1")
    with pytest.raises(TrinoUnavailable, match="left alone") as caught:
        await pool.read("SELECT 1")
    assert caught.value.retry_after is not None
    assert (unwilling.asked, pool.guards.circuits[0].state().circuit) == (2, "open")
    await pool.close()


async def test_a_refused_user_does_not_open_the_circuit(unwilling: Unwilling) -> None:
    unwilling.status = 401
    pool = TrinoPool(settings(unwilling), PATIENT)
    with pytest.raises(TrinoUnavailable, match="refuses the user"):
        await pool.read("SELECT 1")
    assert (unwilling.asked, pool.guards.circuits[0].state().failures) == (1, 0)
    await pool.close()


async def test_nothing_is_asked_after_the_deadline(unwilling: Unwilling) -> None:
    pool = TrinoPool(settings(unwilling), PATIENT)

    async def late() -> None:
        set_deadline(0.0)
        await pool.read("SELECT 1")

    with pytest.raises(TrinoUnavailable):
        await asyncio.create_task(late())
    assert unwilling.asked == 0
    await pool.close()


async def test_a_port_where_nobody_listens_is_unavailable() -> None:
    with Unwilling() as server:
        given = settings(server)
    pool = TrinoPool(given, PATIENT)
    with pytest.raises(TrinoAway, match="cannot be reached"):
        await pool.read("SELECT 1")
    await pool.close()


def test_a_password_is_not_sent_in_the_open() -> None:
    with pytest.raises(ValueError, match="AURUM_TRINO__TLS"):
        TrinoSettings.model_validate({"host": "trino.example", "password": "secret"})
