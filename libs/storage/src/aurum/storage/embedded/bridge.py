"""A loopback port in front of a Unix socket, for programs that cannot open one: Java's drivers speak TCP alone.

The embedded PostgreSQL listens on a socket file only its user may open. While a bridge stands, whoever can open loopback ports
on this machine can reach it: for tests and laptops, and only as long as the program that needs it runs.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from types import TracebackType

_CHUNK = 1 << 16


class Bridge:
    """Listens on ``port`` of 127.0.0.1 as long as it is entered."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()

    @property
    def port(self) -> int:
        """The port, of an entered bridge."""
        assert self._listener is not None, "the bridge is not entered"
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Bridge:
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, args=(self._listener,), name="bridge", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._listener is not None:
            # A thread in accept() is woken by shutdown, not by close.
            _end(self._listener)
            self._listener = None
        for connection in list(self._open):
            _end(connection)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return  # the bridge was left
            far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                far.connect(str(self._path))
            except OSError:
                _end(near)
                far.close()
                continue
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), name="bridge", daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        # Either side may go at any time; then both do.
        with contextlib.suppress(OSError):
            while chunk := one.recv(_CHUNK):
                other.sendall(chunk)
        for connection in (one, other):
            self._open.discard(connection)
            _end(connection)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
