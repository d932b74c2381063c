"""The settings and jobs that a worker sends to its ready job process at the start."""

from __future__ import annotations

import pickle
import socket
import struct
from dataclasses import dataclass
from typing import cast

from aurum.common.settings import Settings

_SIZE = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class Setup:
    """``jobs``: path ``module:function`` of a function that returns ``aurum.workers.jobs.Jobs``."""

    jobs: str
    settings: Settings

    def as_bytes(self) -> bytes:
        """Return the bytes that ``receive`` reads."""
        body = pickle.dumps(self)
        return _SIZE.pack(len(body)) + body

    @classmethod
    def receive(cls, control: socket.socket) -> Setup:
        """Receive the setup from the worker that started this process. Raises ``EOFError`` when the worker has ended."""
        body = _exactly(control, _SIZE.unpack(_exactly(control, _SIZE.size))[0])
        return cast("Setup", pickle.loads(body))  # noqa: S301 - from the worker itself, over a socket that only it has


def _exactly(control: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = control.recv(size - len(received))
        if not part:
            raise EOFError("the worker has ended")
        received += part
    return received
