"""Retries, over ``stamina``: with growing waits and chance in them, within the deadline, of what is safe to do twice."""

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
    """``calls`` so far, the ``attempts`` they took, and how many calls failed in the end."""

    name: str
    calls: int
    attempts: int
    failed: int


class Retry:
    """How often and for how long some lines are tried:

        async for attempt in retry.attempts():
            with attempt:
                ...

    The caller promises that doing the lines twice does no more than doing them once. Reading is so; sending an order is not,
    because an answer that did not come says nothing of whether the order did.

    ``on``: the failures after which it is worth trying again. ``requested_wait_s``: how many seconds such a failure asks to
    wait, as ``Retry-After`` does, instead of the growing wait; None where it does not say. A wait that would end after the
    time for all attempts is not begun.
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
        """Contexts to try the same lines in, one after the other.

        Raises ``DeadlinePassed`` when there is no time for the first.
        """
        given = self._settings
        within_s = time_left(given.retry_within_s)
        trying = stamina.retry_context(
            on=self._backoff(until=time.monotonic() + within_s),
            attempts=given.retry_attempts,
            timeout=within_s,
            wait_initial=given.retry_first_wait_s,
            wait_max=given.retry_most_wait_s,
            wait_jitter=given.retry_jitter_s,
        )
        self._calls += 1
        return _Attempts(self, aiter(trying))

    def _backoff(self, *, until: float) -> Callable[[Exception], bool | float]:
        """For stamina: whether to try again after a failure, or how many seconds to wait before."""

        def backoff(error: Exception) -> bool | float:
            if not isinstance(error, self._on):
                return False
            wait_s = self._requested_wait_s(error)
            if wait_s is None:
                return True
            return wait_s if time.monotonic() + wait_s < until else False

        return backoff

    def attempted(self) -> None:
        """Count an attempt."""
        self._attempts += 1

    def gave_up(self, error: BaseException) -> None:
        """Count a call that failed in the end."""
        self._failed += isinstance(error, self._on)

    def state(self) -> RetryState:
        return RetryState(self.name, self._calls, self._attempts, self._failed)


class _Attempts:
    """Not a generator: left in the middle, which is how a success leaves it, it has nothing to be closed."""

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
            self._retry.gave_up(error)
            raise
        self._retry.attempted()
        return attempt
