"""The limits that a child process sets for itself before it begins."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from pathlib import Path

from aurum.common.parent_death import signal_on_parent_death


def limit_this_process(*, parent: int, memory_bytes: int, processor_s: int, file_bytes: int | None = None) -> None:
    """Limit this process, let it write no core dump, and end it when the process ``parent`` ends.

    ``memory_bytes``: of its address space. ``processor_s``: seconds of processor time; the kernel sends SIGXCPU then, and
    SIGKILL one second later. ``file_bytes``: largest file that it may write; None: no limit.
    """
    signal_on_parent_death(signal.SIGKILL)
    if sys.platform == "linux":
        # If the machine runs out of memory, the kernel ends this process and not the service. A container may forbid it.
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")
    if os.getppid() != parent:
        os._exit(0)  # the parent ended before the kernel was asked to watch it
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (processor_s, processor_s + 1))
    if sys.platform == "linux":  # on macOS the shared libraries of a process exceed such a limit from the start
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
