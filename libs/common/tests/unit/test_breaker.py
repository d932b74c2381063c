"""Circuit breakers: when a dependency is no longer called, and when it is tried again."""

from __future__ import annotations

import asyncio

import pytest

from aurum.common.resilience import breaker as breakers
from aurum.common.resilience.breaker import Breaker
from aurum.common.resilience.errors import CircuitOpen
from aurum.common.settings.resilience import ResilienceSettings

SETTINGS = ResilienceSettings(breaker_failures=3, breaker_open_s=0.05)


class Away(Exception):
    pass


class Refusal(Exception):
    """The dependency answers, with a refusal."""


class Clock:
    """The time of breakers, which tests set."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(breakers, "time", clock)
    return clock


def breaker() -> Breaker:
    return Breaker("store", SETTINGS, counts=(Away,))


async def fail(one: Breaker, error: type[BaseException] = Away) -> None:
    with pytest.raises(error):
        async with one():
            raise error


async def opened() -> Breaker:
    one = breaker()
    for _ in range(3):
        await fail(one)
    return one


async def test_after_three_failures_in_a_row_no_call_is_made() -> None:
    one = await opened()
    assert one.state().circuit == "open"
    with pytest.raises(CircuitOpen, match="store") as caught:
        async with one():
            pytest.fail("it was tried")
    assert 0 < caught.value.retry_after <= 0.1
    assert (one.state().refused, one.state().opened) == (1, 1)


async def test_a_success_in_between_starts_the_count_again() -> None:
    one = breaker()
    for _ in range(2):
        await fail(one)
    async with one():
        pass
    for _ in range(2):
        await fail(one)
    assert one.state().circuit == "closed"
    assert one.state().failures == 2


async def test_a_refusal_is_not_a_failure_of_the_dependency() -> None:
    one = breaker()
    for _ in range(5):
        await fail(one, Refusal)
    assert one.state().circuit == "closed"


async def test_a_call_that_is_cancelled_changes_nothing() -> None:
    one = breaker()
    for _ in range(2):
        await fail(one)
    await fail(one, asyncio.CancelledError)
    assert one.state().failures == 2


async def test_one_call_tries_what_was_open_and_the_others_are_refused_meanwhile(clock: Clock) -> None:
    one = await opened()
    clock.now += 0.06
    release, tries = asyncio.Event(), 0

    async def attempt() -> None:
        nonlocal tries
        async with one():
            tries += 1
            await release.wait()

    attempts = [asyncio.create_task(attempt()) for _ in range(5)]
    await asyncio.sleep(0)  # each has begun
    release.set()
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert tries == 1
    assert sorted(type(result).__name__ for result in results) == ["CircuitOpen"] * 4 + ["NoneType"]
    assert one.state().circuit == "closed"


async def test_when_the_try_fails_it_stays_open(clock: Clock) -> None:
    one = await opened()
    clock.now += 0.06
    await fail(one)
    assert one.state().circuit == "open"
    assert one.state().opened == 2


async def test_when_the_try_is_cancelled_the_next_call_tries(clock: Clock) -> None:
    one = await opened()
    clock.now += 0.06
    await fail(one, asyncio.CancelledError)
    async with one():
        pass
    assert one.state().circuit == "closed"


async def test_an_answer_to_a_call_from_before_it_opened_does_not_close_the_circuit(clock: Clock) -> None:
    one = breaker()
    release = asyncio.Event()

    async def slow() -> None:
        async with one():
            await release.wait()

    before = asyncio.create_task(slow())
    await asyncio.sleep(0)
    for _ in range(3):
        await fail(one)
    clock.now += 0.06
    trying = asyncio.Event()

    async def attempt() -> None:
        async with one():
            await trying.wait()

    now = asyncio.create_task(attempt())
    await asyncio.sleep(0)
    release.set()
    await before
    assert one.state().circuit == "half-open"
    trying.set()
    await now
    assert one.state().circuit == "closed"
