"""Kept answers given at once, over real sockets: the same as through the layers, in order, and nothing lost."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from api_market import FIRST_KNOWN, NYC, NYC_START, InventedSeries, file_of
from api_processes import api_child

from aurum.api.testing.listening import listening
from aurum.common.clock import SystemClock
from aurum.common.settings import AccessSettings, DatabaseSettings, Settings
from aurum.core.access import RatePlan
from aurum.core.api_keys import key_text
from aurum.services.access import create_tenant, put_plan
from aurum.storage.ports.access import Actor, ApiKey
from aurum.storage.testing.access import insert_key
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until_blocking

pytestmark = pytest.mark.needs_postgres

PATH = f"/v2/series/{NYC}/observations"
VARYING = {"x-request-id", "age", "x-cache", "date", "ratelimit", "ratelimit-remaining", "ratelimit-reset"}
OPERATOR = Actor("operator")


def hour(number: int) -> str:
    """The path of one hour of the series; its value is its number."""
    start = NYC_START + number * timedelta(hours=1)
    return f"{PATH}?start={start:%Y-%m-%dT%H:%M:%SZ}&end={start + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"


@pytest_asyncio.fixture(loop_scope="session")
async def who(postgres_store: PostgresStore) -> dict[str, str]:
    """Data in the store, and a key to read them with."""
    rows = [(NYC_START + number * timedelta(hours=1), float(number), FIRST_KNOWN, 0) for number in range(48)]
    await postgres_store.loader.load(file_of(InventedSeries(NYC, "USD/MWh", "1h", "America/New_York", "NYISO", rows, "USD")))
    await put_plan(postgres_store.transactions, RatePlan("trial", 600_000, 9_000_000, 9_000_000, 1.0, 5), by=OPERATOR)
    await create_tenant(postgres_store.transactions, "acme", "Acme", "trial", by=OPERATOR)
    text, parts = key_text(bytes(40))
    key = ApiKey(parts.key_id, "acme", "test", ("user",), (), SystemClock().now(), "test")
    await insert_key(postgres_store.transactions, key, parts.digest)
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture
def service(database_url: str, who: dict[str, str]) -> Iterator[str]:
    del who  # the store has its data by then
    settings = Settings(database=DatabaseSettings(url=database_url, pool_size=2), access=AccessSettings(mode="required"))
    with listening(settings) as url:
        yield url


@contextmanager
def connected(url: str) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    try:
        yield connection
    finally:
        connection.close()


def on_a_socket(url: str) -> socket.socket:
    host, _, port = urlsplit(url).netloc.partition(":")
    return socket.create_connection((host, int(port)), timeout=120)


def ask(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def values(body: bytes) -> list[float]:
    return [row["value"] for row in json.loads(body)["data"]]


def head(path: str, headers: dict[str, str], version: str = "1.1") -> bytes:
    lines = [f"GET {path} HTTP/{version}", "Host: aurum.test", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read_answers(stream: socket.socket, count: int) -> list[tuple[int, bytes]]:
    """Read ``count`` responses from one connection and return their statuses and bodies."""
    file = stream.makefile("rb")
    answers = []
    for _ in range(count):
        status = int(file.readline().split()[1])
        length = 0
        while (line := file.readline().strip().lower()) != b"":
            name, _, value = line.partition(b":")
            if name == b"content-length":
                length = int(value)
        answers.append((status, file.read(length)))
    return answers


@pytest.mark.parametrize("accepted", ["identity", "zstd", "gzip"])
def test_an_answer_given_at_once_is_that_of_the_layers(service: str, who: dict[str, str], accepted: str) -> None:
    headers = who | {"Accept-Encoding": accepted}
    with connected(service) as connection:
        ask(connection, PATH, headers)
        short = ask(connection, PATH, headers)
        long = ask(connection, PATH, headers | {"X-Request-Id": "mine"})
        assert (short[1]["x-cache"], long[1]["x-cache"], long[1]["x-request-id"]) == ("hit", "hit", "mine")
        has = headers | {"If-None-Match": short[1]["etag"]}
        unchanged = ask(connection, PATH, has), ask(connection, PATH, has | {"X-Request-Id": "mine"})
    for one, other in ((short, long), unchanged):
        assert (one[0], one[2]) == (other[0], other[2])
        assert set(one[1]) == set(other[1])
        assert {name: value for name, value in one[1].items() if name not in VARYING} == {
            name: value for name, value in other[1].items() if name not in VARYING
        }
    assert (unchanged[0][0], unchanged[0][2]) == (304, b"")


def test_answers_come_in_the_order_of_their_questions(service: str, who: dict[str, str]) -> None:
    with connected(service) as connection:
        assert values(ask(connection, hour(1), who)[2]) == [1.0]
        assert ask(connection, hour(1), who)[1]["x-cache"] == "hit"
    # Kept, to be asked of the store, kept, kept, to be asked.
    order = [1, 2, 1, 1, 3, 1]
    with on_a_socket(service) as stream:
        stream.sendall(b"".join(head(hour(number), who) for number in order))
        answers = read_answers(stream, len(order))
    assert [(status, values(body)) for status, body in answers] == [(200, [float(number)]) for number in order]


def test_a_caller_that_reads_late_gets_every_answer(service: str, who: dict[str, str]) -> None:
    count, plain = 4_000, who | {"Accept-Encoding": "identity"}
    with connected(service) as connection:
        for _ in range(2):
            length = len(ask(connection, hour(1), plain)[2])
    with on_a_socket(service) as stream:
        sender = threading.Thread(target=stream.sendall, args=(head(hour(1), plain) * count,))
        sender.start()
        # More than a connection buffers is under way before anything is read: the server must wait, and go on.
        threading.Event().wait(0.5)
        answers = read_answers(stream, count)
        sender.join()
    assert {(status, len(body)) for status, body in answers} == {(200, length)}


def test_what_is_not_plain_is_left_to_the_server(service: str, who: dict[str, str]) -> None:
    with connected(service) as connection:
        for _ in range(2):
            ask(connection, hour(1), who)
        connection.request("GET", hour(1), body=b"ignored", headers=who)
        answer = connection.getresponse()
        assert (answer.status, values(answer.read())) == (200, [1.0])
        connection.request("HEAD", hour(1), headers=who)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
        assert values(ask(connection, hour(1), who)[2]) == [1.0], "the connection goes on"
        _, headers, _ = ask(connection, hour(1), who | {"Connection": "close"})
        assert headers["connection"] == "close"
    with on_a_socket(service) as stream:
        stream.sendall(head(hour(1), who, "1.0"))
        assert read_answers(stream, 1)[0][0] == 200
        assert stream.recv(1) == b"", "HTTP/1.0 ends after one answer"


async def test_no_kept_answer_is_lost_when_the_process_is_told_to_end(database_url: str, who: dict[str, str]) -> None:
    statuses: list[int] = []
    broken: list[Exception] = []

    def keep_asking(url: str) -> None:
        """Send requests until a response closes its connection and no new connection is accepted."""
        while True:
            with connected(url) as connection:
                try:
                    connection.connect()
                except OSError:
                    return
                last = False
                while not last:
                    began = time.monotonic()
                    try:
                        status, headers, body = ask(connection, hour(1), who)
                    except (OSError, http.client.HTTPException) as error:
                        # A service that ends takes no request that comes half a second after its connection.
                        if time.monotonic() - began < 0.5:
                            broken.append(error)
                        return
                    assert values(body) == [1.0]
                    statuses.append(status)
                    last = headers.get("connection") == "close"

    def run() -> None:
        with api_child(database_url, AURUM_ACCESS__MODE="required") as (service, process):
            with connected(service) as connection:
                for _ in range(2):
                    ask(connection, hour(1), who)
            threads = [threading.Thread(target=keep_asking, args=(service,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            wait_until_blocking(lambda: len(statuses) > 100 or not any(thread.is_alive() for thread in threads))
            process.terminate()
            for thread in threads:
                thread.join()

    await asyncio.to_thread(run)
    assert len(statuses) > 100
    assert set(statuses) == {200}
    assert broken == []
