"""The limits of a child process, and how it sets them for itself before it touches foreign bytes."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from aurum.common.parent_death import signal_on_parent_death

_ERROR_BYTES = 1 << 20
"""Most bytes that a child can write to a file. It writes only to the file of its error output."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one child. ``memory_bytes``: of its address space. ``processor_s``, ``wall_s``: seconds of processor and of
    elapsed time. ``output_bytes``: of all messages of its answer together.

    The kernel enforces the first two, the parent the last two.
    """

    memory_bytes: int = 2 << 30
    processor_s: int = 120
    wall_s: float = 300.0
    output_bytes: int = 1 << 30


def limit_this_process(limits: Limits, *, parent: int) -> None:
    """Limit this process, let it write no core dump, and end it when the process ``parent`` ends."""
    signal_on_parent_death(signal.SIGKILL)
    if sys.platform == "linux":
        # If the machine runs out of memory, the kernel ends this process and not the service. A container may forbid it.
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")
    if os.getppid() != parent:
        os._exit(0)  # the parent ended before the kernel was asked to watch it
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_ERROR_BYTES, _ERROR_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.processor_s, limits.processor_s + 1))
    if sys.platform == "linux":  # on macOS the shared libraries of a process exceed such a limit from the start
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
