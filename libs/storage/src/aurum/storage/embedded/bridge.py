"""A loopback port in front of a Unix socket, for programs that speak only TCP, as Java's drivers do.

The embedded PostgreSQL listens on a socket file that only its user may open. While a bridge runs, every user of this machine
can reach it through the port. So it is meant for tests and laptops, and runs only as long as the program that needs it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from types import TracebackType

_CHUNK = 1 << 16


class Bridge:
    """A listener on ``port`` of 127.0.0.1 that forwards connections to a Unix socket; use as a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()

    @property
    def port(self) -> int:
        """The port, while the bridge runs."""
        assert self._listener is not None, "the bridge does not run: enter it first"
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Bridge:
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, args=(self._listener,), name="bridge", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._listener is not None:
            # A thread in accept() is woken by shutdown(), not by close().
            _close(self._listener)
            self._listener = None
        for connection in list(self._open):
            _close(connection)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # the bridge has ended
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                server.connect(str(self._path))
            except OSError:
                _close(client)
                server.close()
                continue
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open |= {client, server}
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=(source, target), name="bridge", daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        # Either side may close at any time; then both are closed.
        with contextlib.suppress(OSError):
            while chunk := source.recv(_CHUNK):
                target.sendall(chunk)
        for connection in (source, target):
            self._open.discard(connection)
            _close(connection)


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
