"""Steps over many rows, which would block the event loop, run in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_THREAD_ROWS = 50_000
"""From this number of rows on a step may take longer than 50 ms, the longest time that it may block the event loop."""


async def in_thread_if_large(rows: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a step over ``rows`` rows, in a thread when they are ``_THREAD_ROWS`` or more."""
    return await asyncio.to_thread(work, *args, **kwargs) if rows >= _THREAD_ROWS else work(*args, **kwargs)
