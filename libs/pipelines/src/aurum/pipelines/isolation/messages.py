"""Messages between the parent and a child over a socket: a header in JSON and bodies of bytes. Nothing in them is executed."""

from __future__ import annotations

import io
import json
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_COUNTS = struct.Struct("!II")
_SIZE = struct.Struct("!Q")
_MOST_BODIES = 64
_HEADER_BYTES = 64 << 20


class Ended(Exception):
    """The other side closed the connection before a message was complete."""


class TooMuch(Exception):
    """A message is larger than the receiver accepts."""


@dataclass(frozen=True, slots=True)
class Message:
    """``header``: JSON values. ``bodies``: any bytes."""

    header: Mapping[str, Any]
    bodies: Sequence[bytes] = field(default_factory=tuple)


def send(connection: socket.socket, message: Message | None) -> None:
    """Send a message; None says that no other follows. Raises OSError."""
    if message is None:
        connection.sendall(_COUNTS.pack(0, 0))
        return
    header = json.dumps(message.header).encode()
    sizes = b"".join(_SIZE.pack(len(body)) for body in message.bodies)
    connection.sendall(_COUNTS.pack(len(header), len(message.bodies)) + sizes + header)
    for body in message.bodies:
        connection.sendall(body)


def receive(connection: socket.socket, *, most_bytes: int | None = None, until: float | None = None) -> Message | None:
    """Receive a message; None after the last one.

    ``most_bytes``: of header and bodies; None: no limit. ``until``: value of ``time.monotonic`` at which waiting ends; None:
    never. Raises ``Ended``, ``TooMuch``, ``TimeoutError`` and ``ValueError`` (what was received is not a message).
    """
    header_size, count = _COUNTS.unpack(_exactly(connection, _COUNTS.size, until))
    if header_size == 0:
        return None
    if count > _MOST_BODIES:
        raise ValueError(f"{count} bodies in a message")
    sizes = [_SIZE.unpack(_exactly(connection, _SIZE.size, until))[0] for _ in range(count)]
    if header_size > _HEADER_BYTES or (most_bytes is not None and sum(sizes) + header_size > most_bytes):
        raise TooMuch
    header = json.loads(_exactly(connection, header_size, until))
    return Message(header, tuple(_exactly(connection, size, until) for size in sizes))


def _exactly(connection: socket.socket, size: int, until: float | None) -> bytes:
    if size == 0:
        return b""
    content = io.BytesIO()
    content.seek(size - 1)
    content.write(b"\0")  # allocates the buffer at once; ``getvalue`` returns it without a copy
    with content.getbuffer() as whole:
        received = 0
        while received < size:
            if until is not None:
                left = until - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                connection.settimeout(left)
            count = connection.recv_into(whole[received:])
            if count == 0:
                raise Ended
            received += count
    return content.getvalue()
