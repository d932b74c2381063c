"""Waiting in tests: for a condition, never for a fixed time."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Final

PATIENCE_S: Final = 240.0
"""How long a condition may take on a busy machine; only what hangs takes longer."""

_LOOK_EVERY_S: Final = 0.01


async def wait_until(condition: Callable[[], bool | Awaitable[bool]], what: str = "", *, within_s: float = PATIENCE_S) -> None:
    """Return once a condition holds; raise ``AssertionError`` with ``what`` when it does not in time."""
    end = time.monotonic() + within_s
    while True:
        holds = condition()
        if await holds if inspect.isawaitable(holds) else holds:
            return
        _check(end, condition, what)
        await asyncio.sleep(_LOOK_EVERY_S)


def wait_until_blocking(condition: Callable[[], bool], what: str = "", *, within_s: float = PATIENCE_S) -> None:
    """Do the same in a test without an event loop, or whose work runs in other threads."""
    end = time.monotonic() + within_s
    while not condition():
        _check(end, condition, what)
        time.sleep(_LOOK_EVERY_S)


def _check(end: float, condition: object, what: str) -> None:
    if time.monotonic() > end:
        raise AssertionError(f"not in time: {what or getattr(condition, '__qualname__', condition)}")
