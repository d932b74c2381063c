"""The running server of a data folder: what ``postmaster.pid`` says of it, whether it answers, how it is told to stop."""

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
"""Starting, recovering or shutting down."""

LOOK_EVERY_S = 0.005
_PROTOCOL_3 = 196608
_ANSWER_S = 30.0
_STOP_S = 60.0


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A server as its ``postmaster.pid`` describes it. It may have ended since: see ``is_running``."""

    data: Path
    pid: int
    socket_folder: str
    port: str
    is_ready: bool

    @classmethod
    def of(cls, data: Path) -> Postmaster | None:
        """Read the file; None when there is none or it is not complete."""
        try:
            lines = [line.strip() for line in (data / "postmaster.pid").read_text(errors="surrogateescape").splitlines()]
        except FileNotFoundError:
            return None
        if not lines or not lines[0].isdigit():
            return None
        # process, data folder, start, port, socket folder, TCP address, shared memory, status; the last ones come later
        lines += [""] * (8 - len(lines))
        return cls(data, int(lines[0]), socket_folder=lines[4], port=lines[3], is_ready=lines[7] == "ready")

    @property
    def is_running(self) -> bool:
        """Whether the process is the server of this folder, and no other process that got the number of one that was killed."""
        return str(self.data) in _of_process(self.pid, "cmdline").split("\0")

    def sqlstate(self, database: str) -> str:
        """Connect to a database and return the SQLSTATE of the answer, ``00000`` for success.

        Raises ``OSError`` when nothing listens, and ``EmbeddedServerFailed`` when it takes the connection and says nothing.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_ANSWER_S)
            try:
                connection.connect(f"{self.socket_folder}/.s.PGSQL.{self.port}")
                return _connected(connection, database)
            except BlockingIOError:
                return NOT_YET  # more clients are waiting to connect than the kernel holds
            except TimeoutError as error:
                raise self._failed(f"did not answer within {_ANSWER_S:.0f} s") from error

    def stop(self) -> None:
        """End every session and the server, and wait for it. Raises ``EmbeddedServerFailed`` when it takes a minute."""
        deadline = time.monotonic() + _STOP_S
        if self.is_running:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGINT)  # a fast shutdown: sessions are not waited for
        while self.is_running:
            if time.monotonic() > deadline:
                raise self._failed(f"did not stop within {_STOP_S:.0f} s")
            time.sleep(LOOK_EVERY_S)
        if self.socket_folder != str(self.data):
            with suppress(OSError):
                Path(self.socket_folder).rmdir()  # the short-named folder of a data folder with a long path

    def _failed(self, what: str) -> EmbeddedServerFailed:
        return EmbeddedServerFailed(f"the embedded PostgreSQL (process {self.pid}) {what}", folder=str(self.data.parent))


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or ended and not yet collected by its parent."""
    # ``pid (name) state ...``; the name may hold anything.
    return _of_process(pid, "stat").rpartition(")")[2].split()[:1] in ([], ["Z"], ["X"])


def _of_process(pid: int, name: str) -> str:
    """Read a file of /proc that everybody may read: most are hidden from root in a container when the account is another."""
    try:
        return os.fsdecode(Path(f"/proc/{pid}/{name}").read_bytes())
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _connected(connection: socket.socket, database: str) -> str:
    """Greet as a client and read up to the first question or error.

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
