"""A deadline of a connection, which can be moved without a new timer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_NEVER = float("inf")


class Deadline:
    """Calls ``passed`` at the time that was set last. Moving it to a later time, as each request does, needs no new timer."""

    __slots__ = ("_ends_at", "_fires_at", "_loop", "_passed", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, passed: Callable[[], None]) -> None:
        self._loop = loop
        self._passed = passed
        self._ends_at = self._fires_at = _NEVER
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        """Whether there is a deadline that has not passed."""
        return self._ends_at < _NEVER

    def set(self, seconds: float) -> None:
        """Move the deadline to ``seconds`` from now."""
        self._ends_at = ends_at = self._loop.time() + seconds
        if ends_at < self._fires_at:
            self._start(seconds)

    def lift(self) -> None:
        """Remove the deadline until it is set again."""
        self._ends_at = _NEVER

    def end(self) -> None:
        """Remove the deadline and its timer, when the connection has ended."""
        self._ends_at = self._fires_at = _NEVER
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._fires_at = self._loop.time() + seconds
        self._timer = self._loop.call_later(seconds, self._fire)

    def _fire(self) -> None:
        self._timer, self._fires_at = None, _NEVER
        left = self._ends_at - self._loop.time()
        if left <= 0:
            self._ends_at = _NEVER
            self._passed()
        elif left < _NEVER:
            self._start(left)
