"""What becomes of memory: what the C library does with what is freed, and what Python looks through for garbage."""

from __future__ import annotations

import ctypes
import gc

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Options of ``mallopt``: https://man7.org/linux/man-pages/man3/mallopt.3.html"""
_MIB = 1 << 20


def keep_freed_memory() -> None:
    """Keep up to 64 MiB for the next answer instead of giving them back to the system after each.

    An answer of 8,760 rows takes a few buffers of 1 MB. By default each comes fresh from the system, which clears it page by
    page, and goes back at once: that takes 2.3 ms of the 3.2 ms of writing such a document. Where the C library has no
    ``mallopt`` (macOS, musl) nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, 32 * _MIB)
        mallopt(_TRIM_THRESHOLD, 64 * _MIB)


def leave_the_lasting_alone() -> None:
    """Let the garbage collector look at what requests make only, and not as often.

    What is there once the service has started stays until its end. Looking through it again and again takes 100 ms each time;
    requests leave few cycles behind.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
