"""HTTP/1.1 as load needs it: keep-alive to loopback, bodies of known length or in chunks, nothing kept of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"


class UnexpectedAnswer(Exception):
    """The server said something that this generator cannot count."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. ``headers``: by name in lower case. ``size``: bytes of the body; ``body``: those, when asked for."""

    status: int
    headers: Mapping[str, str]
    size: int
    body: bytes = b""


class Connection:
    """One keep-alive connection that is made when it is needed, and again after it has broken."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, path: str, headers: Sequence[str] = (), *, keep: bool = False) -> Reply:
        """GET and read the answer to its end. Raises ``UnexpectedAnswer``, ``OSError``; the connection is closed then."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=1 << 20)
        reader, writer = self._streams
        whole = False
        try:
            writer.write(get(self._host, self._port, path, *headers))
            await writer.drain()
            reply = await _reply(reader, keep=keep)
            whole = reply.headers.get("connection", "").lower() != "close"
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise UnexpectedAnswer("the server closed the connection") from error
        finally:
            if not whole:
                self.close()
        return reply

    def close(self) -> None:
        """Hang up."""
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
    size, kept = 0, bytearray()
    while length := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        chunk = await reader.readexactly(length + 2)
        size += length
        if keep:
            kept += chunk[:-2]
    await reader.readuntil(b"\r\n")
    return size, bytes(kept)


def content_length(head: bytes) -> int:
    """Bytes of the body that follows a response head. Raises ``UnexpectedAnswer`` for a body of unknown length."""
    lower = head.lower()
    position = lower.find(b"\r\ncontent-length:")
    if position >= 0:
        return int(lower[position + 17 :].split(b"\r\n", 1)[0])
    if b"\r\ntransfer-encoding:" in lower:
        raise UnexpectedAnswer("an answer of unknown length: bench.drain reads those")
    return 0


def get(host: str, port: int, path: str, *headers: str) -> bytes:
    """The bytes of a GET."""
    return "\r\n".join([f"GET {path} HTTP/1.1", f"Host: {host}:{port}", *headers, "", ""]).encode()


def loopback(url: str) -> tuple[str, int, str]:
    """Host, port, and path with query of a loopback URL. Raises ``ValueError`` for any other host."""
    parts = urlsplit(url)
    if parts.hostname != LOOPBACK:
        raise ValueError(f"load goes to {LOOPBACK} only, not to {parts.hostname}")
    path = parts.path or "/"
    return parts.hostname, parts.port or 80, f"{path}?{parts.query}" if parts.query else path


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the event loop of a generator."""
    try:
        import uvloop  # comes with the API; with it the generator is not what is measured
    except ImportError:
        return None
    return uvloop.new_event_loop
