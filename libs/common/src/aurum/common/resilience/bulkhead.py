"""Bulkheads: a bound on the work under way at once, with a queue bounded in length and in waiting time."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aurum.common.resilience.errors import QueueFull, WaitedTooLong


@dataclass(frozen=True, slots=True)
class BulkheadState:
    """Statistics of a bulkhead.

    ``places``: their number. ``in_use``: places in use. ``waiting``: requests in the queue. Since the start: ``entered``, and
    refusals because the queue was ``full`` or the wait was too long (``waited_too_long``).
    """

    name: str
    places: int
    in_use: int
    waiting: int
    entered: int
    full: int
    waited_too_long: int


class Bulkhead:
    """A number of places for work under way, with a first-in, first-out queue. For one event loop.

    Use ``async with bulkhead():``, or, where every microsecond counts, ``try_enter``, ``wait_for_place`` and ``leave``. Raises
    ``QueueFull`` and ``WaitedTooLong``.
    """

    def __init__(self, name: str, *, places: int, queue: int = 0, longest_wait_s: float = 0.0) -> None:
        self.name = name
        self.places = places
        """May be changed at any time. A smaller number takes effect as work ends, a larger one with ``resize``."""
        self.in_use = 0
        self._queue = queue
        self._longest_wait_s = longest_wait_s
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._entered = self._full = self._waited_too_long = 0

    @property
    def waiting(self) -> int:
        """The number of requests that wait for a place."""
        return len(self._waiting)

    @asynccontextmanager
    async def __call__(self) -> AsyncGenerator[None]:
        if not self.try_enter():
            await self.wait_for_place()
        try:
            yield
        finally:
            self.leave()

    def try_enter(self) -> bool:
        """Take a place and return True, if one is free and the queue is empty. Call ``leave`` at the end of the work."""
        if self.in_use >= self.places or self._waiting:
            return False
        self.in_use += 1
        self._entered += 1
        return True

    async def wait_for_place(self, *, at_most_s: float | None = None) -> float:
        """Wait in the queue, take a place, and return the seconds waited. Raises ``QueueFull``, ``WaitedTooLong``.

        ``at_most_s``: the longest wait, in place of ``longest_wait_s``.
        """
        longest = self._longest_wait_s if at_most_s is None else max(0.0, at_most_s)
        if len(self._waiting) >= self._queue:
            self._full += 1
            detail = f"the queue for {self.name} is full: {self._queue} wait already"
            raise QueueFull(detail, retry_after=max(1.0, self._longest_wait_s))
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        began = time.monotonic()
        try:
            async with asyncio.timeout(longest):
                await turn
        except BaseException as error:
            self._give_up(turn)
            if isinstance(error, TimeoutError):
                self._waited_too_long += 1
                detail = f"no place for {self.name} became free in {longest:.1f} s"
                raise WaitedTooLong(detail, retry_after=max(1.0, self._longest_wait_s)) from None
            raise
        return time.monotonic() - began

    def leave(self) -> None:
        """Give a place back; the request that has waited longest takes it."""
        self.in_use -= 1
        if self._waiting:
            self._admit()

    def resize(self, places: int) -> None:
        """Set the number of places, and admit waiting requests to new ones."""
        self.places = places
        self._admit()

    def state(self) -> BulkheadState:
        return BulkheadState(
            self.name, self.places, self.in_use, self.waiting, self._entered, self._full, self._waited_too_long
        )

    def _admit(self) -> None:
        while self._waiting and self.in_use < self.places:
            turn = self._waiting.popleft()
            if not turn.done():
                self.in_use += 1
                self._entered += 1
                turn.set_result(None)

    def _give_up(self, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():
            # The place was granted at the moment the wait was given up: pass it on.
            self.leave()
        elif turn in self._waiting:
            self._waiting.remove(turn)
