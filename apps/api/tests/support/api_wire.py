"""A strict HTTP/1.1 client: a response whose head does not say where its body ends is an error."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from urllib.parse import urlsplit


class NotFramed(AssertionError):
    """A response whose end is unknown until the connection closes, or that declares its end twice."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. ``body``: without chunk frames. ``chunked``: whether it had any. ``headers``: by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    chunked: bool


class Wire:
    """A connection to a service, for one request after the other."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._file: BufferedReader = stream.makefile("rb")

    def close(self) -> None:
        """Close the connection, even if the response has not been read."""
        self._file.close()
        self._stream.close()

    def ask(self, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET", body: bytes = b"") -> Answer:
        """Send a request and read exactly one response."""
        self.send(path, headers, method=method, body=body)
        return self.read(method)

    def send(
        self,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes = b"",
        version: str = "1.1",
    ) -> None:
        """Send a request without reading the response."""
        host, port = self._stream.getpeername()
        lines = [f"{method} {path} HTTP/{version}", f"Host: {host}:{port}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines += [f"Content-Length: {len(body)}"] if body else []
        self._stream.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    def read(self, method: str = "GET") -> Answer:
        """Read one response. Raises ``NotFramed``."""
        status, headers = self._head()
        chunked = headers.get("transfer-encoding") == "chunked"
        if chunked and "content-length" in headers:
            raise NotFramed(f"both a length and chunks: {headers}")
        if method == "HEAD" or status in (204, 304):
            return Answer(status, headers, b"", chunked)
        if chunked:
            return Answer(status, headers, b"".join(self._chunks()), chunked)
        if "content-length" not in headers:
            raise NotFramed(f"neither a length nor chunks: {headers}")
        return Answer(status, headers, self._file.read(int(headers["content-length"])), chunked)

    def read_to_the_end(self) -> Answer:
        """Read the response of a server that closes the connection after it."""
        status, headers = self._head()
        return Answer(status, headers, self._file.read(), chunked="transfer-encoding" in headers)

    def _head(self) -> tuple[int, dict[str, str]]:
        status = self._file.readline().split()[1]
        headers: dict[str, str] = {}
        while (line := self._file.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            assert name.lower() not in headers or name.lower() == "set-cookie", f"{name} twice"
            headers[name.lower()] = value.strip()
        return int(status), headers

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._file.readline(), 16):
            yield self._file.read(size)
            assert self._file.readline() == b"\r\n"
        assert self._file.readline() == b"\r\n"


@contextmanager
def wired(url: str) -> Iterator[Wire]:
    """Open a connection to a service and yield it."""
    host, _, port = urlsplit(url).netloc.partition(":")
    with closing(Wire(socket.create_connection((host, int(port)), timeout=60))) as wire:
        yield wire
