"""Runs a program that must not outlive who started it: ``python guard.py PROGRAM ARGUMENT ...``.

Its standard input is a pipe nobody writes to. When the other end closes (the starter ended, a kill too), the program is told to
end, and killed when it does not. Run by path: it imports nothing of ours, so it is there in no time.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from types import FrameType

PATIENCE_S = 10.0


def main(command: list[str]) -> int:
    # stdin is the guard's; Ctrl-C of a terminal is the starter's, who then closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - what it is there for

    def end(_number: int, _frame: FrameType | None) -> None:
        program.terminate()

    signal.signal(signal.SIGTERM, end)
    threading.Thread(target=_end_with_the_pipe, args=(program,), daemon=True).start()
    return program.wait()


def _end_with_the_pipe(program: subprocess.Popen[bytes]) -> None:
    sys.stdin.buffer.read()
    program.terminate()
    try:
        program.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        program.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
