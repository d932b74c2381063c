"""A minimal HTTP/1.1 client: keep-alive to loopback, bodies of known length or in chunks, which are discarded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"


class UnexpectedAnswer(Exception):
    """An answer that this client cannot read or count."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. ``headers``: by lower-case name. ``size``: bytes of the body. ``body``: empty unless requested."""

    status: int
    headers: Mapping[str, str]
    size: int
    body: bytes = b""


class Connection:
    """A keep-alive connection that opens at the first request, and again after a failure."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, path: str, headers: Sequence[str] = (), *, keep: bool = False) -> Reply:
        """Send a GET and read the reusable answer. ``keep``: return the body as well.

        Raises ``UnexpectedAnswer``, ``OSError``, and closes the connection then.
        """
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=1 << 20)
        reader, writer = self._streams
        reusable = False
        try:
            writer.write(get(self._host, self._port, path, *headers))
            await writer.drain()
            reply = await _reply(reader, keep=keep)
            reusable = reply.headers.get("connection", "").lower() != "close"
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise UnexpectedAnswer("the server closed the connection") from error
        finally:
            if not reusable:
                self.close()
        return reply

    def close(self) -> None:
        """Close the connection, if it is open."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _reply(reader: asyncio.StreamReader, *, keep: bool) -> Reply:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    status = int(first.split(" ", 2)[1])
    if headers.get("transfer-encoding", "").lower() == "chunked":
        parts = await _chunks(reader, keep=keep)
        return Reply(status, headers, parts[0], parts[1])
    length = 0 if status == 304 else content_length(head)
    body = await reader.readexactly(length)
    return Reply(status, headers, length, body if keep else b"")


async def _chunks(reader: asyncio.StreamReader, *, keep: bool) -> tuple[int, bytes]:
    size, body = 0, bytearray()
    while length := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        chunk = await reader.readexactly(length + 2)
        size += length
        if keep:
            body += chunk[:-2]
    await reader.readuntil(b"\r\n")
    return size, bytes(body)


def content_length(head: bytes) -> int:
    """Return the bytes of the body after a response head. Raises ``UnexpectedAnswer`` for a body of unknown length."""
    lower = head.lower()
    position = lower.find(b"\r\ncontent-length:")
    if position >= 0:
        return int(lower[position + 17 :].split(b"\r\n", 1)[0])
    if b"\r\ntransfer-encoding:" in lower:
        raise UnexpectedAnswer("the answer has an unknown length: use bench.drain")
    return 0


def get(host: str, port: int, path: str, *headers: str) -> bytes:
    """Return the bytes of a GET request."""
    return "\r\n".join([f"GET {path} HTTP/1.1", f"Host: {host}:{port}", *headers, "", ""]).encode()


def loopback(url: str) -> tuple[str, int, str]:
    """Return host, port, and path with query of a loopback URL. Raises ``ValueError`` for any other host."""
    parts = urlsplit(url)
    if parts.hostname != LOOPBACK:
        raise ValueError(f"the host is {parts.hostname}: load is sent to {LOOPBACK} only")
    path = parts.path or "/"
    return parts.hostname, parts.port or 80, f"{path}?{parts.query}" if parts.query else path


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the factory of uvloop event loops; None if uvloop is not installed."""
    try:
        import uvloop  # installed with the API; without it the client would be the bottleneck
    except ImportError:
        return None
    return uvloop.new_event_loop
