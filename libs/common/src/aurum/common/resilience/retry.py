"""Retries, over ``stamina``: with growing waits and chance in them, within the deadline, of what is safe to do twice.

Whether it is safe is said where the work is written: ``@repeatable``. Reading is; sending an order is not, because an answer
that did not come says nothing of whether the order did.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

import stamina

from aurum.common.resilience.errors import NotRepeatable
from aurum.common.resilience.timeout import time_left
from aurum.common.settings.resilience import ResilienceSettings

P = ParamSpec("P")
T = TypeVar("T")

_MARK = "__repeatable__"


def repeatable(work: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Declare that doing this twice does no more than doing it once."""
    setattr(work, _MARK, True)
    return work


@dataclass(frozen=True, slots=True)
class RetryState:
    """``calls`` so far, the ``attempts`` they took, and how many calls failed in the end."""

    name: str
    calls: int
    attempts: int
    failed: int


class Retry:
    """How often and for how long something is tried. ``@retry`` over a ``@repeatable`` coroutine function.

    ``on``: the failures after which it is worth trying again.
    """

    def __init__(self, name: str, settings: ResilienceSettings, *, on: tuple[type[Exception], ...]) -> None:
        self.name = name
        self._settings = settings
        self._on = on
        self._calls = self._attempts = self._failed = 0

    def __call__(self, work: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        if not getattr(work, _MARK, False):
            raise NotRepeatable(f"{work!r} is not declared @repeatable")

        @wraps(work)
        async def retried(*args: P.args, **kwargs: P.kwargs) -> T:
            return await self._until_done(work, *args, **kwargs)

        return retried

    def state(self) -> RetryState:
        return RetryState(self.name, self._calls, self._attempts, self._failed)

    async def _until_done(self, work: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        given = self._settings
        self._calls += 1

        async def once() -> T:
            self._attempts += 1
            return await work(*args, **kwargs)

        trying = stamina.AsyncRetryingCaller(
            attempts=given.retry_attempts,
            timeout=time_left(given.retry_within_s),
            wait_initial=given.retry_first_wait_s,
            wait_max=given.retry_most_wait_s,
            wait_jitter=given.retry_jitter_s,
        )
        try:
            return await trying(self._on, once)
        except self._on:
            self._failed += 1
            raise
