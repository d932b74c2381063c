"""The load generator and the reader of bulk answers, against servers with prepared answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from bench.drain import drain
from bench.load import Load, UnexpectedAnswer, get, measure, saturate

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
_NOT_MODIFIED = b'HTTP/1.1 304 Not Modified\r\netag: "1"\r\n\r\n'
_BROKEN = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"
_CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"


@asynccontextmanager
async def server(*answers: bytes, close: bool = False) -> AsyncGenerator[int]:
    """Run a server that sends the answers in turn. Yields its port."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for number in range(1_000_000):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(answers[number % len(answers)])
                await writer.drain()
                if close:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has closed the connection
        finally:
            writer.close()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


async def _load(port: int, *, seconds: float = 5.0, connections: int = 2, most: int = 10) -> Load:
    request = get("127.0.0.1", port, "/")
    return await saturate("127.0.0.1", port, request, seconds=seconds, connections=connections, most=most)


async def test_no_more_requests_than_the_limit_are_sent() -> None:
    async with server(_OK) as port:
        result = await _load(port, most=7)

    assert (result.answers, result.errors) == (7, 0)
    assert result.rate > 0
    assert result.p50_ms <= result.p99_ms


async def test_error_answers_are_counted() -> None:
    async with server(_OK, _BROKEN, _NOT_MODIFIED) as port:
        result = await _load(port, connections=1, most=9)

    assert (result.answers, result.errors) == (9, 3)


async def test_a_body_that_comes_in_pieces_is_one_answer() -> None:
    body = b"x" * 3_000_000
    async with server(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body) as port:
        result = await _load(port, most=3)

    assert (result.answers, result.errors) == (3, 0)


async def test_an_answer_of_unknown_length_is_refused() -> None:
    async with server(_CHUNKED + b"0\r\n\r\n") as port:
        with pytest.raises(UnexpectedAnswer, match="unknown length"):
            await _load(port)


async def test_a_connection_that_breaks_off_is_not_an_answer() -> None:
    async with server(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", close=True) as port:
        with pytest.raises(UnexpectedAnswer, match="closed"):
            await _load(port)


@pytest.mark.needs_process
async def test_load_comes_from_another_process() -> None:
    async with server(_OK) as port:
        result = await asyncio.to_thread(measure, f"http://127.0.0.1:{port}/", seconds=5, connections=1, most=5)

    assert result.answers == 5


@pytest.mark.parametrize("url", ["http://example.org/", "http://10.0.0.1:80/", "http://localhost:1/"])
def test_load_never_leaves_the_machine(url: str) -> None:
    with pytest.raises(ValueError, match="only"):
        measure(url, seconds=1)
    with pytest.raises(ValueError, match="only"):
        drain(url)


async def test_a_stream_is_read_to_its_end() -> None:
    answer = _CHUNKED + b"0\r\n\r\n"
    async with server(answer, close=True) as port:
        assert await asyncio.to_thread(drain, f"http://127.0.0.1:{port}/?a=b") == len(answer)


async def test_a_stream_without_its_last_chunk_is_refused() -> None:
    async with server(_CHUNKED, close=True) as port:
        with pytest.raises(UnexpectedAnswer, match="broke off"):
            await asyncio.to_thread(drain, f"http://127.0.0.1:{port}/")


async def test_an_error_is_not_a_stream() -> None:
    async with server(_BROKEN, close=True) as port:
        with pytest.raises(UnexpectedAnswer, match="500"):
            await asyncio.to_thread(drain, f"http://127.0.0.1:{port}/")
