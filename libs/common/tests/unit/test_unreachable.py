"""Operators are told which server failed and why, never with a user or a password."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import requests
from redis import Redis
from redis.exceptions import RedisError

from aurum.common.resilience.unreachable import cause_of, failed_call, server_of
from aurum.core.errors import Unavailable


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("postgresql://desk:secret@db.example:6432/prices", "db.example:6432"),
        ("postgresql://desk:s%40cret@db.example/prices", "db.example:5432"),
        ("postgresql://desk:secret@one,two:6432/prices", "one:5432,two:6432"),
        ("postgresql://desk:secret@/prices?host=/run/postgresql", "/run/postgresql"),
        ("postgresql://[::1]:5433/prices", "[::1]:5433"),
        ("postgresql:///prices", "the local socket"),
        ("unix:///run/valkey.sock", "/run/valkey.sock"),
    ],
)
def test_the_server_of_a_url_has_a_port_and_no_password(url: str, server: str) -> None:
    assert server_of(url, port=5432) == server


def test_the_cause_is_the_words_of_the_system() -> None:
    refused = ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 1)")
    assert cause_of(refused) == "Connection refused"
    assert cause_of(socket.gaierror(-2, "Name or service not known")) == "Name or service not known"
    several = OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 1), [Errno 111] Connect call failed (..)")
    assert cause_of(several) == "Connection refused"
    assert cause_of(TimeoutError()) == "no answer in time"


def test_a_call_over_http_names_its_server_and_the_cause() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(requests.ConnectionError) as failed:
        requests.get(f"http://desk:secret@127.0.0.1:{port}/v1/statement", timeout=5)
    assert failed_call(failed.value) == f"127.0.0.1:{port}: Connection refused"


def test_clients_of_the_api_do_not_learn_the_server() -> None:
    error = Unavailable("the database cannot be reached", retry_after=1.0, where="db.example:5432: Connection refused")
    assert error.operator_detail == "the database cannot be reached (db.example:5432: Connection refused)"
    # Detail and facts are members of the problem document.
    assert error.detail == "the database cannot be reached"
    assert not error.facts


def test_a_socket_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(RedisError) as failed:
        Redis.from_url(f"unix://{tmp_path}/none.sock").ping()
    assert cause_of(failed.value) == "No such file or directory"
