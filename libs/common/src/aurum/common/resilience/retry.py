"""Retries, over ``stamina``: with growing waits and chance in them, within the deadline, of what is safe to do twice.

Whether it is safe is said where the work is written: ``@repeatable``. Reading is; sending an order is not, because an answer
that did not come says nothing of whether the order did.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager
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
    """How often and for how long something is tried: ``@retry`` over a ``@repeatable`` coroutine function, or around lines:

        async for attempt in retry.attempts():
            with attempt:
                ...

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
            async for attempt in self.attempts():
                with attempt:
                    return await work(*args, **kwargs)
            raise AssertionError  # the last attempt answers or raises

        return retried

    async def attempts(self) -> AsyncGenerator[AbstractContextManager[object]]:
        """Contexts to try the same lines in, one after the other; whoever writes it says that they are safe to repeat."""
        given = self._settings
        self._calls += 1
        trying = stamina.retry_context(
            on=self._on,
            attempts=given.retry_attempts,
            timeout=time_left(given.retry_within_s),
            wait_initial=given.retry_first_wait_s,
            wait_max=given.retry_most_wait_s,
            wait_jitter=given.retry_jitter_s,
        )
        try:
            async for attempt in trying:
                self._attempts += 1
                yield attempt
        except self._on:
            self._failed += 1
            raise

    def state(self) -> RetryState:
        return RetryState(self.name, self._calls, self._attempts, self._failed)
