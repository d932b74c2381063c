"""A client that reads one bulk answer over a raw socket and discards it: the lowest cost of a caller."""

from __future__ import annotations

import socket

from bench.load import UnexpectedAnswer, get, loopback

_BUFFER = 1 << 20
_END = b"0\r\n\r\n"
"""The last chunk of a chunked body. If it is missing, the answer is incomplete."""


def drain(url: str) -> int:
    """Read a streamed answer and return its bytes, head included. Raises ``UnexpectedAnswer`` unless it is a complete 200."""
    host, port, path = loopback(url)
    buffer = bytearray(_BUFFER)
    view = memoryview(buffer)
    size = 0
    head = tail = b""
    with socket.create_connection((host, port), timeout=120) as connection:
        connection.sendall(get(host, port, path, "Connection: close"))
        while count := connection.recv_into(view):
            head = head or bytes(view[: min(count, 4096)])
            size += count
            tail = (tail + bytes(view[max(0, count - len(_END)) : count]))[-len(_END) :]
    if not head.startswith(b"HTTP/1.1 200"):
        raise UnexpectedAnswer(head.split(b"\r\n", 1)[0].decode(errors="replace"))
    if b"chunked" in head.partition(b"\r\n\r\n")[0] and tail != _END:
        raise UnexpectedAnswer(f"the answer broke off after {size:,} bytes")
    return size
