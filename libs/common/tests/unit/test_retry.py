"""Retries: only of work that is safe to repeat, and only within the deadline."""

from __future__ import annotations

import pytest

from aurum.common.resilience.errors import DeadlinePassed
from aurum.common.resilience.retry import Retry
from aurum.common.resilience.timeout import reset_deadline, set_deadline
from aurum.common.settings.resilience import ResilienceSettings

SETTINGS = ResilienceSettings(retry_attempts=3, retry_first_wait_s=0.001, retry_most_wait_s=0.002, retry_jitter_s=0.0)


class Away(Exception):
    pass


class Flaky:
    """A dependency that fails ``failures`` times, then answers."""

    def __init__(self, failures: int, error: type[Exception] = Away) -> None:
        self.failures, self.error, self.calls = failures, error, 0

    async def read(self, name: str) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return f"read {name}"


def retried(flaky: Flaky, retry: Retry):
    async def read(name: str) -> str:
        async for attempt in retry.attempts():
            with attempt:
                return await flaky.read(name)
        raise AssertionError

    return read


async def test_a_call_that_fails_for_a_moment_is_tried_again() -> None:
    flaky, retry = Flaky(2), Retry("store", SETTINGS, on=(Away,))
    assert await retried(flaky, retry)("a") == "read a"
    assert (retry.state().calls, retry.state().attempts, retry.state().failed) == (1, 3, 0)


async def test_a_call_that_keeps_failing_raises_its_last_failure() -> None:
    flaky, retry = Flaky(9), Retry("store", SETTINGS, on=(Away,))
    with pytest.raises(Away):
        await retried(flaky, retry)("a")
    assert flaky.calls == 3
    assert retry.state().failed == 1


async def test_other_failures_are_not_tried_again() -> None:
    flaky = Flaky(1, KeyError)
    with pytest.raises(KeyError):
        await retried(flaky, Retry("store", SETTINGS, on=(Away,)))("a")
    assert flaky.calls == 1


async def test_when_the_deadline_has_passed_nothing_is_tried() -> None:
    flaky, retry = Flaky(0), Retry("store", SETTINGS, on=(Away,))
    token = set_deadline(0.0)
    try:
        with pytest.raises(DeadlinePassed):
            await retried(flaky, retry)("a")
    finally:
        reset_deadline(token)
    assert flaky.calls == 0
    assert (retry.state().calls, retry.state().attempts) == (0, 0)


async def test_a_failure_that_names_its_wait_is_waited_for_so_long_and_no_longer() -> None:
    hours = SETTINGS.model_copy(update={"retry_first_wait_s": 3600.0, "retry_most_wait_s": 3600.0})
    flaky = Flaky(2)
    assert await retried(flaky, Retry("store", hours, on=(Away,), requested_wait_s=lambda _: 0.0))("a") == "read a"
    assert flaky.calls == 3


async def test_a_wait_that_would_end_after_the_time_for_all_attempts_is_not_begun() -> None:
    flaky, retry = Flaky(9), Retry("store", SETTINGS, on=(Away,), requested_wait_s=lambda _: 3600.0)
    with pytest.raises(Away):
        await retried(flaky, retry)("a")
    assert (flaky.calls, retry.state().failed) == (1, 1)
