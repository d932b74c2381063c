"""A client that hangs up is not an error of the service: its log has nothing above info."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import pytest
from api_market import LONG, NYC
from structlog.testing import capture_logs

from aurum.api.testing.listening import listening
from aurum.common.settings import DatabaseSettings, Settings
from aurum.common.settings.limits import LimitsSettings

pytestmark = pytest.mark.needs_postgres

HOST = b" HTTP/1.1\r\nHost: localhost\r\n"
NOT_CACHED = {"Cache-Control": "no-store"}
JSON = b"Content-Type: application/json\r\n"
QUERY = b"POST /v2/observations/query" + HOST + JSON


@pytest.fixture(scope="module")
def service(market_url: str) -> Iterator[str]:
    settings = Settings(database=DatabaseSettings(url=market_url, pool_size=2), limits=LimitsSettings(slow_start=0))
    with listening(settings) as url:
        yield url


def connect(url: str) -> socket.socket:
    host, _, port = urlsplit(url).netloc.partition(":")
    return socket.create_connection((host, int(port)), timeout=60)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /v2/ser",
        QUERY + b"Content-Length: 100\r\n\r\n{",
        QUERY + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        QUERY + b"Idempotency-Key: 1\r\nContent-Length: 100\r\n\r\n{",
        b"PUT /v2/admin/flags/x" + HOST + JSON + b"Content-Length: 100\r\n\r\n{",
        f"GET /v2/series/{NYC}/observations".encode() + HOST + b"\r\n",
        f"GET /v2/series/{LONG}/observations?format=csv".encode() + HOST + b"\r\n",
        f"GET /v2/series/{LONG}/observations?format=ndjson".encode() + HOST + b"Accept-Encoding: gzip\r\n\r\n",
    ],
)
@pytest.mark.parametrize("reads", [False, True])
async def test_a_client_that_hangs_up_logs_no_error(
    service: str, sent: bytes, caplog: pytest.LogCaptureFixture, *, reads: bool
) -> None:
    def hang_up() -> None:
        for _ in range(3):
            with closing(connect(service)) as stream:
                stream.sendall(sent)
                if reads and sent.startswith(b"GET /v2/series"):
                    stream.recv(100)
        for _ in range(3):
            # As many as there are connections to the database, which have been given back by then.
            answer = httpx.get(f"{service}/v2/series/{NYC}", headers=NOT_CACHED, trust_env=False, timeout=60)
            assert answer.status_code == 200

    with capture_logs() as lines, caplog.at_level(logging.INFO):
        await asyncio.to_thread(hang_up)
    assert [line for line in lines if line["log_level"] not in ("debug", "info")] == []
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []
