"""The drawing process: reads requests from its standard input, and writes a picture for each to its standard output.

A message is its length, four bytes, the most significant first, and as many bytes. An answer begins with a byte that says what
it is: a picture, or a text that says why there is none. The end of the input, which is the end of the parent, ends the process.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import BinaryIO

from aurum.charts.draw import draw
from aurum.charts.messages import decode
from aurum.common.forking.endings import MEMORY_EXIT
from aurum.common.forking.limits import limit_this_process

PICTURE, REFUSED, FAILED = b"p", b"r", b"f"
LENGTH_BYTES = 4
_PROCESSOR_S = 3_600
"""Seconds of processor time after which the kernel ends the process; the next request starts another."""


def main() -> None:
    """Draw until the input ends. Arguments: the process id of the parent, and bytes of memory that may be taken."""
    parent, memory_bytes = map(int, sys.argv[1:])
    limit_this_process(parent=parent, memory_bytes=memory_bytes, processor_s=_PROCESSOR_S)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends this process
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # nothing but answers may be written there
    try:
        while (message := read_message(requests)) is not None:
            kind, content = _answer(message)
            answers.write(kind + len(content).to_bytes(LENGTH_BYTES) + content)
            answers.flush()
    except MemoryError:
        os._exit(MEMORY_EXIT)


def read_message(stream: BinaryIO) -> bytes | None:
    """Return the next message; None at the end of the stream."""
    length = stream.read(LENGTH_BYTES)
    if len(length) < LENGTH_BYTES:
        return None
    message = stream.read(int.from_bytes(length))
    return message if len(message) == int.from_bytes(length) else None


def _answer(message: bytes) -> tuple[bytes, bytes]:
    try:
        request = decode(message)
        return PICTURE, draw(request.chart, request.format, request.size, request.theme)
    except MemoryError:
        raise
    except ValueError as error:
        return REFUSED, str(error).encode(errors="replace")
    except Exception as error:  # noqa: BLE001 - one picture that cannot be drawn ends no other
        return FAILED, f"{type(error).__name__}: {error}".encode(errors="replace")


if __name__ == "__main__":
    main()
