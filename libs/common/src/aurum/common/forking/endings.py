"""How a child process ended."""

from __future__ import annotations

import signal

MEMORY_EXIT = 71
"""Exit code of a child in which Python raised ``MemoryError``."""

_SIGNS = ("memory allocation of", "MemoryError", "bad_alloc", "out of memory", "Cannot allocate memory")


def ran_out_of_memory(code: int, errors: str) -> bool:
    """Return whether a child ended at its limit of memory, by its exit code (negative: a signal) and its error output."""
    return code == MEMORY_EXIT or (code in (-signal.SIGABRT, -signal.SIGSEGV) and any(sign in errors for sign in _SIGNS))
