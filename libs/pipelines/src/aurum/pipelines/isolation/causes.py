"""Says in plain words why a child process failed: which limit it exceeded, or by which signal it ended."""

from __future__ import annotations

import os
import signal

from aurum.pipelines.isolation.limits import Limits

MEMORY_EXIT = 71
"""Exit code of a child that ran out of memory and noticed it."""

SETTINGS = "the limit of AURUM_FILES__"
"""Beginning of the names of the settings, for reasons that name one."""

_MEMORY_SIGNS = ("memory allocation of", "MemoryError", "bad_alloc", "out of memory", "Cannot allocate memory")


class ChildFailed(Exception):
    """A child process that ended without a result. ``reason``: for the user. ``log``: the end of its error output."""

    def __init__(self, reason: str, log: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.log = log


def reason_of(status: int, log: str, used_s: float, limits: Limits) -> str:
    """Return why a child failed, from its wait status, its error output and the processor time it used."""
    code = os.waitstatus_to_exitcode(status)
    if code == MEMORY_EXIT or (code in (-signal.SIGABRT, -signal.SIGSEGV) and any(sign in log for sign in _MEMORY_SIGNS)):
        name = f" ({signal.Signals(-code).name})" if code < 0 else ""
        return f"reading it needs more memory than {limits.memory_bytes >> 20} MiB, {SETTINGS}MEMORY_MIB{name}"
    # The hard limit of the kernel ends a process that ignores SIGXCPU.
    if code == -signal.SIGXCPU or (code == -signal.SIGKILL and used_s >= limits.processor_s):
        return f"reading it takes more processor time than {limits.processor_s} s, {SETTINGS}PROCESSOR_S (SIGXCPU)"
    if code < 0:
        number = signal.Signals(-code)
        return f"its reader was ended by the signal {number.name} ({signal.strsignal(number)})"
    return f"its reader ended with exit code {code} and without a result"
