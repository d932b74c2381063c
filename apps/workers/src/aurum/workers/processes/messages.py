"""Messages between a worker and the process of a job: JSON behind its length. Nothing in them is executed."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from typing import Any, TypeAlias

_SIZE = struct.Struct("!I")
_MOST_BYTES = 64 << 20

Message: TypeAlias = Mapping[str, Any]


class BadMessage(Exception):
    """The bytes that were received are not a message."""


def encoded(message: Message) -> bytes:
    """Return the bytes of a message."""
    body = json.dumps(message).encode()
    return _SIZE.pack(len(body)) + body


def receive(connection: socket.socket) -> Message | None:
    """Receive a message from a socket that blocks; None when the other side has closed it. Raises ``BadMessage``."""
    size = _exactly(connection, _SIZE.size)
    if size is None:
        return None
    body = _exactly(connection, _size(size))
    return None if body is None else _decoded(body)


async def read(reader: asyncio.StreamReader) -> Message | None:
    """Do the same on an event loop."""
    try:
        size = await reader.readexactly(_SIZE.size)
        return _decoded(await reader.readexactly(_size(size)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def _size(size: bytes) -> int:
    count: int = _SIZE.unpack(size)[0]
    if count > _MOST_BYTES:
        raise BadMessage(f"a message of {count} bytes")
    return count


def _decoded(body: bytes) -> Message:
    try:
        message: object = json.loads(body)
    except ValueError as error:
        raise BadMessage("a message that is not JSON") from error
    if not isinstance(message, dict):
        raise BadMessage("a message that is not an object")
    return message  # pyright: ignore[reportUnknownVariableType] - of JSON values


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    received = bytearray()
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            return None
        received += part
    return bytes(received)
