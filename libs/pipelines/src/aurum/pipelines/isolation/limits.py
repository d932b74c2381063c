"""The limits of a child process, and how it sets them for itself before it touches foreign bytes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_ERROR_BYTES = 1 << 20
"""Most that a child can write into a file; it writes into none but that of its error output."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``memory_bytes``: address space. ``processor_s``, ``wall_s``: seconds. ``output_bytes``: of all messages together.

    The parent holds the last two, the child's kernel the others.
    """

    memory_bytes: int = 2 << 30
    processor_s: int = 120
    wall_s: float = 300.0
    output_bytes: int = 1 << 30


def limit_this_process(limits: Limits, *, parent: int) -> None:
    """Set the limits of this process, no core dump, and its end together with the process ``parent``."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        # If memory runs out, the kernel ends this process and not the service. A container may forbid it.
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")
    if os.getppid() != parent:
        os._exit(0)  # the parent ended before its end could be noticed
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_ERROR_BYTES, _ERROR_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.processor_s, limits.processor_s + 1))
    if sys.platform == "linux":  # elsewhere a process that maps shared libraries is beyond such a limit from the start
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
