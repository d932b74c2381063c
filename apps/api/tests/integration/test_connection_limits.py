"""Every phase of a connection has a bound and a deadline, over raw sockets; what is refused is a problem document."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from api_connection import Probe, Response, connected, probed, read_response, read_responses, trickle

from aurum.storage.testing.waiting import wait_until_blocking

pytestmark = pytest.mark.server  # every test runs one

GET = b"GET /a HTTP/1.1\r\nHost: aurum.test\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: aurum.test\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SIZED = POST + b"Content-Length: 10\r\n\r\n"
EARLY = POST.replace(b"/a", b"/early")
LAST = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nx: y\r\n\r\n"
MOST = 4 << 20
"""Bytes that no client should get rid of."""
SHORT_S = 0.2


def assert_is_problem(response: Response, status: int, name: str) -> None:
    assert (response.status, response.headers["content-type"]) == (status, "application/problem+json")
    document = response.json()
    assert (document["status"], document["type"]) == (status, f"/problems/{name}")
    assert document["request_id"] == response.headers["x-request-id"]
    assert response.headers["connection"] == "close"
    assert response.headers["content-security-policy"]


def answer_to(stream: socket.socket, request: bytes) -> Response | None:
    """Send a request and return its response. None: the machine took longer than the limits of the connection."""
    try:
        stream.sendall(request)
        response = read_response(stream)
    except (AssertionError, BrokenPipeError, ConnectionResetError):
        return None
    return None if response.status == 408 else response


def received(stream: socket.socket) -> bytes:
    """Return what has come; nothing once the server has closed the connection."""
    try:
        return stream.recv(1 << 20)
    except ConnectionResetError:
        return b""


def is_served(url: str) -> bool:
    with connected(url) as stream:
        response = answer_to(stream, GET)
    return response is not None and response.status == 200


@contextmanager
def answered(url: str) -> Iterator[socket.socket]:
    """Yield a connection whose first request was answered."""
    while True:
        with connected(url) as stream:
            if answer_to(stream, GET) is not None:
                yield stream
                return


def keep_sending(stream: socket.socket, piece: bytes, done: threading.Event) -> None:
    """Send a piece every hundredth of a second until told to stop."""
    try:
        while not done.wait(0.01):
            stream.sendall(piece)
    except OSError:
        return


def answers_to_a_trickle(url: str, begin: bytes, piece: bytes) -> list[Response]:
    """Send a beginning, then a piece again and again; return all responses when the server has closed the connection."""
    done = threading.Event()
    with connected(url) as stream:
        stream.sendall(begin)
        sender = threading.Thread(target=keep_sending, args=(stream, piece, done))
        sender.start()
        try:
            return read_responses(stream)
        finally:
            done.set()
            sender.join()


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (CHUNKED + b"0\r\n", b"x-a: b\r\n"),
        (CHUNKED + b"0\r\n", b"x-a: " + b"b" * 500 + b"\r\n"),
        (CHUNKED + b"0\r\nx-a: ", b"b" * 1000),
        (CHUNKED + b"0\r\n", b"b" * 1000),
        (CHUNKED + b"1;", b"a" * 1000),
        (CHUNKED + b"1\r\na\r\n1;a=", b"b" * 1000),
        (GET, b"\r\n" * 500),
        (b"", b"\r\n" * 500),
        (GET + b"GET /b HTTP/1.1\r\nHost: aurum.test\r\nx-a: ", b"b" * 1000),
        (GET + b"GET /", b"b" * 1000),
        (b"GET /a HTTP/1.1\r\nHost: aurum.test\r\n", b"x-a: b\r\n" * 100),
    ],
    ids=[
        "many trailers",
        "long trailers",
        "an endless trailer",
        "an endless name of a trailer",
        "an endless chunk extension",
        "an endless later chunk extension",
        "empty lines after a request",
        "empty lines before a request",
        "an endless header of a second request",
        "an endless target of a second request",
        "many headers",
    ],
)
def test_what_never_ends_is_cut_off(begin: bytes, piece: bytes) -> None:
    with probed(idle_s=0.5, head_s=0.5, body_s=5.0) as url, connected(url) as stream:
        stream.sendall(begin)
        # Empty lines are bounded by time, everything else by bytes.
        most = MOST if piece.strip() else 1 << 40
        sent = trickle(stream, piece, most=most)
        assert sent < most
        wait_until_blocking(lambda: is_served(url), "the service lives")


@pytest.mark.parametrize("count", [1, 3, 100])
def test_trailers_are_no_headers(count: int) -> None:
    trailers = b"X-API-Key: secret\r\nX-Forwarded-For: 10.0.0.1\r\n" + b"x-more: 1\r\n" * count
    with probed() as url, connected(url) as stream:
        for cut in (0, 5, 20):
            whole = CHUNKED + b"2\r\nab\r\n0\r\n" + trailers + b"\r\n"
            stream.sendall(whole[: len(whole) - cut])
            stream.sendall(whole[len(whole) - cut :])
            document = read_response(stream).json()
            assert document == {
                "path": "/a",
                "size": 2,
                "headers": [["host", "aurum.test"], ["transfer-encoding", "chunked"]],
            }


@pytest.mark.parametrize("begin", [b"", GET], ids=["the first request", "a later request"])
def test_a_head_that_trickles_has_a_deadline(begin: bytes) -> None:
    before: list[Response] = []
    with probed(head_s=SHORT_S, idle_s=300) as url:
        while True:
            *before, last = answers_to_a_trickle(url, begin + b"GET /b HTTP/1.1\r\nHost: aurum.test\r\nx-a: ", b"b")
            if before or not begin:
                break  # else the first head came too late, because the machine is busy
    assert [response.status for response in before] == ([200] if begin else [])
    assert_is_problem(last, 408, "request-timeout")


def test_a_connection_that_sends_nothing_is_closed() -> None:
    with probed(head_s=SHORT_S) as url, connected(url) as stream:
        assert read_responses(stream) == []


def test_a_connection_that_sent_a_request_is_not_closed_as_a_silent_one() -> None:
    with probed(head_s=SHORT_S, idle_s=300) as url, answered(url) as stream:
        for _ in range(2):
            with connected(url) as silent:
                assert read_responses(silent) == []
            stream.sendall(GET)
            assert read_response(stream).status == 200


def test_a_connection_between_requests_is_closed() -> None:
    with probed(head_s=300, idle_s=SHORT_S) as url:

        def is_closed_after_three() -> bool:
            with connected(url) as stream:
                if any(answer_to(stream, GET) is None for _ in range(3)):
                    return False  # closed sooner, because the machine is busy
                assert read_responses(stream) == []
            return True

        wait_until_blocking(is_closed_after_three)


@pytest.mark.parametrize(
    ("begin", "piece"),
    [(SIZED, b""), (POST + b"Content-Length: 100000\r\n\r\n", b"a"), (CHUNKED, b"1\r\na\r\n"), (CHUNKED + b"0\r\n", b"a")],
    ids=["nothing", "a trickle", "chunks", "trailers"],
)
def test_a_body_that_does_not_come_gets_408(begin: bytes, piece: bytes) -> None:
    probe = Probe()
    with probed(probe, body_s=SHORT_S) as url:
        (response,) = answers_to_a_trickle(url, begin, piece)
        assert_is_problem(response, 408, "request-timeout")
        assert probe.gone.wait(300), "the application is told"


def test_a_slow_upload_within_its_time_is_taken() -> None:
    with probed(head_s=SHORT_S, idle_s=SHORT_S, send_s=SHORT_S, body_s=300) as url:

        def is_taken() -> bool:
            with connected(url) as stream:
                try:
                    stream.sendall(POST + b"Content-Length: 40\r\n\r\n")
                    for _ in range(39):
                        threading.Event().wait(0.02)
                        stream.sendall(b"a")
                except (BrokenPipeError, ConnectionResetError):
                    return False  # the head came too late, because the machine is busy
                response = answer_to(stream, b"a")
            return response is not None and response.json()["size"] == 40

        wait_until_blocking(is_taken)


@pytest.mark.parametrize(
    "begin", [POST.replace(b"/a", b"/early"), POST.replace(b"/a", b"/early") + b"Expect: 100-continue\r\n"]
)
def test_a_body_that_trickles_after_its_response_has_a_deadline(begin: bytes) -> None:
    with probed(body_s=SHORT_S, idle_s=300) as url:
        (response,) = answers_to_a_trickle(url, begin + b"Content-Length: 1000000\r\n\r\n", b"a")
    assert response.status == 401


def test_a_body_after_its_response_is_read_and_the_connection_goes_on() -> None:
    with probed() as url, connected(url) as stream:
        size = 3_000_000
        stream.sendall(EARLY + b"Content-Length: %d\r\n\r\n" % size + bytes(size))
        assert read_response(stream).status == 401
        stream.sendall(GET)
        assert read_response(stream).status == 200


def test_a_client_that_reads_nothing_is_dropped() -> None:
    probe = Probe()
    with probed(probe, send_s=SHORT_S) as url, connected(url) as stream:
        stream.sendall(GET.replace(b"/a", b"/stream"))
        assert probe.gone.wait(300)


@pytest.mark.parametrize("later", [b"", GET, GET[:20]], ids=["alone", "before another", "before half of another"])
def test_a_response_ends_with_its_connection(later: bytes, caplog: pytest.LogCaptureFixture) -> None:
    probe = Probe()
    with probed(probe) as url:
        with connected(url) as stream:
            stream.sendall(GET.replace(b"/a", b"/stream") + later)
            assert stream.recv(100)
        assert probe.gone.wait(300)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_client_that_reads_slowly_is_not_dropped() -> None:
    def is_read_to_the_end() -> bool:
        probe = Probe()
        with probed(probe, send_s=1.0) as url, connected(url) as stream:
            stream.sendall(GET.replace(b"/a", b"/stream"))
            for _ in range(30):
                began = time.monotonic()
                is_dropped = probe.gone.wait(0.1) or not received(stream)
                if time.monotonic() - began > 0.5:
                    return False  # the machine stood still: that client may be dropped
                assert not is_dropped
        return True

    wait_until_blocking(is_read_to_the_end)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"BREW /a HTTP/1.1\r\nHost: aurum.test\r\n\r\n",
        b"GET a HTTP/1.1\r\nHost: aurum.test\r\n\r\n",
        b"CONNECT aurum.test:443 HTTP/1.1\r\nHost: aurum.test\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: aurum.test\r\n\r\n",
        b"GET /a HTTP/1.1\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: aurum.test\r\nHost: aurum.test\r\n\r\n",
        b"GET /a HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: aurum.test\r\nx a: b\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: aurum.test\r\nx: \x00\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: aurum.test\r\n" + b"a: b\r\n" * 300 + b"\r\n",
        POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        CHUNKED + b"x\r\n",
    ],
)
def test_what_is_no_http_is_a_problem_document(request_bytes: bytes) -> None:
    with probed() as url:
        for before in (b"", GET):
            with connected(url) as stream:
                stream.sendall(before + request_bytes)
                *earlier, last = read_responses(stream)
            assert [response.status for response in earlier] == ([200] if before else [])
            assert_is_problem(last, 400, "bad-request")


def test_http_1_0_needs_no_host() -> None:
    with probed() as url, connected(url) as stream:
        stream.sendall(b"GET /a HTTP/1.0\r\n\r\n")
        assert [response.status for response in read_responses(stream)] == [200]


def test_a_refusal_waits_for_the_responses_before_it() -> None:
    probe = Probe()
    with probed(probe) as url, connected(url) as stream:
        stream.sendall(GET.replace(b"/a", b"/hold") + GET + b"nonsense\r\n\r\n" + GET * 2)
        probe.released.set()
        responses = read_responses(stream)
    assert [response.status for response in responses] == [200, 200, 400]
    assert [response.json()["path"] for response in responses[:2]] == ["/hold", "/a"]


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAA\r\n"


@pytest.mark.parametrize("wait", [False, True], ids=["at once", "one after the other"])
@pytest.mark.parametrize(
    "framed",
    [
        (b"", 0),
        (b"Content-Length: 5\r\n\r\nhello", 5),
        (CHUNKS, 5),
    ],
    ids=["no body", "a length", "chunks"],
)
def test_a_request_that_asks_for_an_upgrade_is_answered_and_so_is_the_next(framed: tuple[bytes, int], *, wait: bool) -> None:
    rest, size = framed
    upgrading = POST + UPGRADE + (rest or b"\r\n")
    with probed() as url, connected(url) as stream:
        for cut in (1, 3, 8):
            stream.sendall(upgrading[:-cut])
            stream.sendall(upgrading[-cut:])
            first = read_response(stream)
            assert (first.status, first.json()["size"]) == (200, size)
        stream.sendall(upgrading)
        if wait:
            assert read_response(stream).json()["size"] == size
        stream.sendall(upgrading + LAST)
        responses = read_responses(stream)
    assert [response.json()["size"] for response in responses] == [size, 0] if wait else [size, size, 0]
    assert responses[-1].json()["headers"] == [["host", "aurum.test"], ["connection", "close"]]


def test_a_body_of_an_upgrade_is_no_request() -> None:
    hidden = b"GET /hidden HTTP/1.1\r\nHost: aurum.test\r\n\r\n"
    with probed() as url, connected(url) as stream:
        stream.sendall(POST + UPGRADE + b"Content-Length: %d\r\n\r\n" % len(hidden) + hidden)
        stream.sendall(LAST)
        assert [response.json()["path"] for response in read_responses(stream)] == ["/a", "/a"]


@pytest.mark.parametrize("size", [10, 20_000, 100_000])
def test_many_requests_sent_at_once_are_answered_in_order(size: int) -> None:
    body = bytes(size)
    count = 400_000 // (size + 100)
    whole = b"".join(
        POST.replace(b"/a", b"/%d" % number) + b"Content-Length: %d\r\n\r\n" % size + body for number in range(count)
    )
    with probed() as url, connected(url) as stream:
        threading.Thread(target=stream.sendall, args=(whole + LAST,)).start()
        responses = read_responses(stream)
    assert [(r.json()["path"], r.json()["size"]) for r in responses] == [
        *((f"/{number}", size) for number in range(count)),
        ("/a", 0),
    ]
