"""Ends a child process together with its parent, however the parent ends."""

from __future__ import annotations

import ctypes
import sys
from signal import Signals

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def signal_on_parent_death(number: Signals) -> None:
    """Let the kernel send this process a signal when its parent ends. It does so on Linux only; elsewhere nothing changes.

    A parent that has ended before the call is not noticed.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, number)
