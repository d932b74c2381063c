"""Deadlines: the instant by which a request must be answered, known to all work that is done for it.

Of nested deadlines the soonest holds. Code that hands work on passes the remaining time, ``time_left()`` in seconds, along: as
the statement timeout of a database, for example.
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
    """Return the deadline of the present task, in seconds of ``time.monotonic``; infinity when it has none."""
    return _deadline.get()


def set_deadline(at: float) -> Token[float]:
    """Set the deadline of this task and of the tasks it starts; return a token for ``reset_deadline``. Prefer ``Timeout``."""
    return _deadline.set(at)


def reset_deadline(token: Token[float]) -> None:
    """Restore the deadline that held before ``set_deadline``."""
    _deadline.reset(token)


def time_left(at_most: float = NEVER) -> float:
    """Return the seconds until the deadline, at most ``at_most``. Raises ``DeadlinePassed`` when it has passed."""
    at = _deadline.get()
    if at == NEVER:
        return at_most
    left = at - time.monotonic()
    if left <= 0:
        raise DeadlinePassed("the deadline of this request has passed", retry_after=1.0)
    return min(left, at_most)


@dataclass(frozen=True, slots=True)
class TimeoutState:
    """Statistics of a timeout: ``calls`` so far, and how many of them ``expired``."""

    name: str
    seconds: float
    calls: int
    expired: int


class Timeout:
    """A bound on the time of some work: ``seconds``, or the present deadline when that is sooner.

    Use ``async with timeout():``. Raises ``DeadlinePassed``.
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
        # The event loop has a clock of its own, so it gets a duration and not the instant.
        left_s = at - time.monotonic()
        bound = asyncio.timeout(left_s)
        token = set_deadline(at)
        try:
            async with bound:
                yield
        except TimeoutError as error:
            if not bound.expired():
                raise
            self._expired += 1
            raise DeadlinePassed(f"{self.name} did not finish within {max(left_s, 0.0):.1f} s", retry_after=1.0) from error
        finally:
            reset_deadline(token)

    def state(self) -> TimeoutState:
        return TimeoutState(self.name, self.seconds, self._calls, self._expired)
