"""Memory of the process: what the C library returns to the system, and how often Python looks for garbage."""

from __future__ import annotations

import ctypes
import gc

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Options of ``mallopt``: https://man7.org/linux/man-pages/man3/mallopt.3.html"""
_MIB = 1 << 20


def keep_freed_memory() -> None:
    """Hold up to 64 MiB for the next response instead of returning them to the system after each.

    A response of 8,760 rows takes a few buffers of 1 MB. By default each comes fresh from the system, which clears it page by
    page, and goes back at once: that takes 2.3 ms of the 3.2 ms of writing such a document. Where the C library has no
    ``mallopt`` (macOS, musl) nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, 32 * _MIB)
        mallopt(_TRIM_THRESHOLD, 64 * _MIB)


def freeze_startup_objects() -> None:
    """Limit garbage collection to objects made by requests, and run it less often.

    Objects that exist once the service has started stay until its end; traversing them takes 100 ms each time, and requests
    leave few cycles behind.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
