"""Runs a program that must not outlive the process that started it: ``python guard.py PROGRAM ARGUMENT ...``.

Its standard input is a pipe that carries no data. When the other end closes, because the starter has ended or was killed, the
program is terminated, and killed if it does not end. Run it by path: it imports nothing of Aurum, so it starts quickly.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from types import FrameType

PATIENCE_S = 10.0


def main(command: list[str]) -> int:
    # Standard input belongs to the guard. Ctrl-C of a terminal is handled by the starter, which then closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - the purpose of the guard

    def terminate(_number: int, _frame: FrameType | None) -> None:
        program.terminate()

    signal.signal(signal.SIGTERM, terminate)
    threading.Thread(target=_terminate_when_pipe_closes, args=(program,), daemon=True).start()
    return program.wait()


def _terminate_when_pipe_closes(program: subprocess.Popen[bytes]) -> None:
    sys.stdin.buffer.read()
    program.terminate()
    try:
        program.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        program.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
