"""The running server of a data folder: the content of ``postmaster.pid``, a check whether it answers, and its stop."""

from __future__ import annotations

import os
import signal
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aurum.storage.embedded.users import EmbeddedServerFailed

SUPERUSER = "postgres"

# SQLSTATE values, appendix A of PostgreSQL's manual.
_SUCCESS = "00000"
NO_SUCH_DATABASE = "3D000"
NOT_YET = "57P03"
"""The server is starting, recovering or shutting down."""

POLL_EVERY_S = 0.005
_PROTOCOL_3 = 196608
_ANSWER_S = 30.0
_STOP_S = 60.0


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A server as its ``postmaster.pid`` describes it. It may have ended meanwhile: see ``is_running``."""

    data: Path
    pid: int
    socket_folder: str
    port: str
    is_ready: bool

    @classmethod
    def of(cls, data: Path) -> Postmaster | None:
        """Read the file of a data folder; None if it is missing or incomplete."""
        try:
            lines = [line.strip() for line in (data / "postmaster.pid").read_text(errors="surrogateescape").splitlines()]
        except FileNotFoundError:
            return None
        if not lines or not lines[0].isdigit():
            return None
        # process, data folder, start, port, socket folder, TCP address, shared memory, status; the last ones are written later
        lines += [""] * (8 - len(lines))
        return cls(data, int(lines[0]), socket_folder=lines[4], port=lines[3], is_ready=lines[7] == "ready")

    @property
    def is_running(self) -> bool:
        """Whether the process is the server of this folder, and not another one that got the id of a killed server."""
        return str(self.data) in _read_proc(self.pid, "cmdline").split("\0")

    def sqlstate(self, database: str) -> str:
        """Connect to a database and return the SQLSTATE of the answer, ``00000`` for success.

        Raises ``OSError`` if no server listens, and ``EmbeddedServerFailed`` if it accepts the connection and does not answer.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_ANSWER_S)
            try:
                connection.connect(f"{self.socket_folder}/.s.PGSQL.{self.port}")
                return _handshake(connection, database)
            except BlockingIOError:
                return NOT_YET  # the kernel's queue of waiting connections is full
            except TimeoutError as error:
                raise self._failed(f"did not answer within {_ANSWER_S:.0f} s") from error

    def stop(self) -> None:
        """End every session and the server, and wait until it has ended. Raises ``EmbeddedServerFailed`` after a minute."""
        deadline = time.monotonic() + _STOP_S
        if self.is_running:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGINT)  # a fast shutdown, which does not wait for sessions
        while self.is_running:
            if time.monotonic() > deadline:
                raise self._failed(f"did not stop within {_STOP_S:.0f} s")
            time.sleep(POLL_EVERY_S)
        if self.socket_folder != str(self.data):
            with suppress(OSError):
                Path(self.socket_folder).rmdir()  # the short-named socket folder of a data folder with a long path

    def _failed(self, failure: str) -> EmbeddedServerFailed:
        return EmbeddedServerFailed(f"the embedded PostgreSQL (process {self.pid}) {failure}", folder=str(self.data.parent))


def has_ended(pid: int) -> bool:
    """Return whether a process has ended, even if its parent has not collected it yet."""
    # ``pid (name) state ...``; the name may contain any character.
    return _read_proc(pid, "stat").rpartition(")")[2].split()[:1] in ([], ["Z"], ["X"])


def _read_proc(pid: int, name: str) -> str:
    """Return the text of a file of /proc, empty if the process does not exist.

    Only for files that every user may read: in a container most others of another account are hidden, even from root.
    """
    try:
        return os.fsdecode(Path(f"/proc/{pid}/{name}").read_bytes())
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _handshake(connection: socket.socket, database: str) -> str:
    """Start a session as a client and return the SQLSTATE of the answer: an error's, or ``00000`` once the server is ready.

    https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-FLOW-START-UP
    """
    parameters = "\0".join(["user", SUPERUSER, "database", database, "application_name", "aurum", "", ""]).encode()
    connection.sendall(struct.pack("!ii", len(parameters) + 8, _PROTOCOL_3) + parameters)
    with connection.makefile("rb") as answers:
        while len(head := answers.read(5)) == 5:
            kind, length = struct.unpack("!ci", head)
            body = answers.read(length - 4)
            if kind == b"E":
                fields = {field[:1]: field[1:].decode() for field in body.split(b"\0") if field}
                return fields[b"C"]
            if kind == b"Z":
                connection.sendall(struct.pack("!ci", b"X", 4))
                return _SUCCESS
    raise ConnectionResetError("the server closed the connection")
