"""Says in plain words why a child process failed: which limit it exceeded, or by which signal it ended."""

from __future__ import annotations

import os
import signal

from aurum.common.forking.endings import ran_out_of_memory
from aurum.common.settings.files import limit_of
from aurum.pipelines.isolation.limits import Limits


class ChildFailed(Exception):
    """A child process that ended without a result. ``reason``: for the user. ``log``: its error output."""

    def __init__(self, reason: str, log: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.log = log


def reason_of(status: int, log: str, used_s: float, limits: Limits) -> str:
    """Return why a child failed, from its wait status, its error output and the processor time it used."""
    code = os.waitstatus_to_exitcode(status)
    if ran_out_of_memory(code, log):
        signal_name = f" ({signal.Signals(-code).name})" if code < 0 else ""
        return f"reading it needs more memory than {limits.memory_bytes >> 20} MiB, {limit_of('memory_mib')}{signal_name}"
    # The kernel kills a process that ignores SIGXCPU one second later.
    if code == -signal.SIGXCPU or (code == -signal.SIGKILL and used_s >= limits.processor_s):
        return f"reading it takes more processor time than {limits.processor_s} s, {limit_of('processor_s')} (SIGXCPU)"
    if code < 0:
        number = signal.Signals(-code)
        return f"its reader was ended by the signal {number.name} ({signal.strsignal(number)})"
    return f"its reader ended with exit code {code} and without a result"
