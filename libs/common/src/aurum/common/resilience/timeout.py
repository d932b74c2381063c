"""Deadlines: one instant by which an answer must be there, known to all that is done for it.

The innermost, soonest deadline holds. Whoever hands work on asks what is left: ``time_left()`` seconds of it are what a
database may take for a statement.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass

from aurum.common.resilience.errors import DeadlinePassed

NEVER = float("inf")
_deadline: ContextVar[float] = ContextVar("aurum_deadline", default=NEVER)


def deadline() -> float:
    """When the work under way must be done, in seconds of ``time.monotonic``; infinity when it has no deadline."""
    return _deadline.get()


def set_deadline(at: float) -> Token[float]:
    """Set the deadline of this task and of the tasks it starts; for ``forget_deadline``. Prefer ``Timeout``."""
    return _deadline.set(at)


def forget_deadline(token: Token[float]) -> None:
    """Back to the deadline before."""
    _deadline.reset(token)


def time_left(at_most: float = NEVER) -> float:
    """Seconds until the deadline, and no more than ``at_most``. Raises ``DeadlinePassed`` when there are none."""
    at = _deadline.get()
    if at == NEVER:
        return at_most
    left = at - time.monotonic()
    if left <= 0:
        raise DeadlinePassed("the time for this request is over", retry_after=1.0)
    return min(left, at_most)


@dataclass(frozen=True, slots=True)
class TimeoutState:
    """``calls`` under this timeout so far, and how many of them ran out of time."""

    name: str
    seconds: float
    calls: int
    expired: int


class Timeout:
    """Bounds what is done inside by ``seconds`` and by the deadline there is, whichever is sooner.

    ``async with timeout():``. Raises ``DeadlinePassed``.
    """

    def __init__(self, name: str, *, seconds: float) -> None:
        self.name = name
        self.seconds = seconds
        self._calls = 0
        self._expired = 0

    @asynccontextmanager
    async def __call__(self) -> AsyncGenerator[None]:
        self._calls += 1
        at = min(deadline(), time.monotonic() + self.seconds)
        # The loop has a clock of its own; only differences mean the same to both.
        bound = asyncio.timeout(at - time.monotonic())
        token = set_deadline(at)
        try:
            async with bound:
                yield
        except TimeoutError as error:
            if not bound.expired():
                raise
            self._expired += 1
            raise DeadlinePassed(f"{self.name} took longer than it may", retry_after=1.0) from error
        finally:
            forget_deadline(token)

    def state(self) -> TimeoutState:
        return TimeoutState(self.name, self.seconds, self._calls, self._expired)
