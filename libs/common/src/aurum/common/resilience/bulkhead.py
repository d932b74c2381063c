"""Bulkheads: so many at once, so many waiting, and nobody for long."""

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
    """``places`` there are now, how many are ``taken``, how many wait. The rest counts since the start."""

    name: str
    places: int
    taken: int
    waiting: int
    entered: int
    full: int
    waited_too_long: int


class Bulkhead:
    """``places`` for work under way, and a queue in which those who came first go first. For one event loop.

    ``async with bulkhead():``; where every microsecond counts ``try_enter``,
    ``wait_for_place`` and ``leave``. Raises ``QueueFull`` and ``WaitedTooLong``.
    """

    def __init__(self, name: str, *, places: int, queue: int = 0, longest_wait_s: float = 0.0) -> None:
        self.name = name
        self.places = places
        """May be changed at any time: fewer take effect as work ends, more with ``resize``."""
        self.taken = 0
        self._queue = queue
        self._longest_wait_s = longest_wait_s
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._entered = self._full = self._waited_too_long = 0

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
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
        """Take a place when one is free and nobody waits for it. Whoever took one must ``leave``."""
        if self.taken >= self.places or self._waiting:
            return False
        self.taken += 1
        self._entered += 1
        return True

    async def wait_for_place(self, *, at_most_s: float | None = None) -> float:
        """Take a place as soon as it is one's turn; seconds waited. Raises ``QueueFull``, ``WaitedTooLong``.

        ``at_most_s``: instead of the longest wait there is.
        """
        longest = self._longest_wait_s if at_most_s is None else max(0.0, at_most_s)
        if len(self._waiting) >= self._queue:
            self._full += 1
            raise QueueFull(f"{self._queue} wait for {self.name} already", retry_after=max(1.0, self._longest_wait_s))
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
        """Give a place back: to who waits longest."""
        self.taken -= 1
        if self._waiting:
            self._admit()

    def resize(self, places: int) -> None:
        """Have another number of places from now on."""
        self.places = places
        self._admit()

    def state(self) -> BulkheadState:
        return BulkheadState(self.name, self.places, self.taken, self.waiting, self._entered, self._full, self._waited_too_long)

    def _admit(self) -> None:
        while self._waiting and self.taken < self.places:
            turn = self._waiting.popleft()
            if not turn.done():
                self.taken += 1
                self._entered += 1
                turn.set_result(None)

    def _give_up(self, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():
            # The place came in the very moment in which it was given up: it is the next one's.
            self.leave()
        elif turn in self._waiting:
            self._waiting.remove(turn)
