"""Retries with exponential backoff and jitter, over ``stamina``, within the deadline, for work that is safe to repeat."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import stamina

from aurum.common.resilience.timeout import time_left
from aurum.common.settings.resilience import ResilienceSettings


@dataclass(frozen=True, slots=True)
class RetryState:
    """Statistics of a retry: ``calls`` so far, the ``attempts`` they took, and how many calls failed in the end."""

    name: str
    calls: int
    attempts: int
    failed: int


class Retry:
    """A policy for repeated attempts at a block:

        async for attempt in retry.attempts():
            with attempt:
                ...

    The caller promises that running the block twice has the same effect as running it once. Reading is safe. Sending an order
    is not, because a missing answer does not tell whether the order arrived.

    ``on``: the exceptions after which another attempt is made. ``requested_wait_s``: returns the seconds that such an exception
    asks to wait (``Retry-After``), in place of the growing wait; None when it names none. When a wait would end after the time
    for all attempts, the call fails at once.
    """

    def __init__(
        self,
        name: str,
        settings: ResilienceSettings,
        *,
        on: tuple[type[Exception], ...],
        requested_wait_s: Callable[[Exception], float | None] = lambda _: None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._on = on
        self._requested_wait_s = requested_wait_s
        self._calls = self._attempts = self._failed = 0

    def attempts(self) -> AsyncIterator[AbstractContextManager[object]]:
        """Return an iterator over contexts, one for each attempt at a block, which must be safe to repeat.

        Raises ``DeadlinePassed`` when no time is left for the first attempt.
        """
        settings = self._settings
        within_s = time_left(settings.retry_within_s)
        trying = stamina.retry_context(
            on=self._backoff(until=time.monotonic() + within_s),
            attempts=settings.retry_attempts,
            timeout=within_s,
            wait_initial=settings.retry_first_wait_s,
            wait_max=settings.retry_most_wait_s,
            wait_jitter=settings.retry_jitter_s,
        )
        self._calls += 1
        return _Attempts(self, aiter(trying))

    def _backoff(self, *, until: float) -> Callable[[Exception], bool | float]:
        """Return the hook of stamina that decides after an exception: no retry, retry, or the seconds to wait before it."""

        def backoff(error: Exception) -> bool | float:
            if not isinstance(error, self._on):
                return False
            wait_s = self._requested_wait_s(error)
            if wait_s is None:
                return True
            return wait_s if time.monotonic() + wait_s < until else False

        return backoff

    def count_attempt(self) -> None:
        """Count an attempt."""
        self._attempts += 1

    def count_failure(self, error: BaseException) -> None:
        """Count a call whose last attempt failed with one of the exceptions in ``on``."""
        self._failed += isinstance(error, self._on)

    def state(self) -> RetryState:
        return RetryState(self.name, self._calls, self._attempts, self._failed)


class _Attempts:
    """The attempts of one call. Not a generator: a success leaves the loop early, and a generator would stay unclosed."""

    def __init__(self, retry: Retry, trying: AsyncIterator[AbstractContextManager[object]]) -> None:
        self._retry = retry
        self._trying = trying

    def __aiter__(self) -> _Attempts:
        return self

    async def __anext__(self) -> AbstractContextManager[object]:
        try:
            attempt = await anext(self._trying)
        except StopAsyncIteration:
            raise
        except Exception as error:
            self._retry.count_failure(error)
            raise
        self._retry.count_attempt()
        return attempt
