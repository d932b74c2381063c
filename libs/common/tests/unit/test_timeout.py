"""Deadlines: the soonest holds, for all work that is done for a request."""

from __future__ import annotations

import asyncio
import time

import pytest

from aurum.common.resilience.errors import DeadlinePassed
from aurum.common.resilience.timeout import Timeout, deadline, reset_deadline, set_deadline, time_left

NEVER = float("inf")


async def test_work_that_takes_too_long_is_given_up() -> None:
    timeout = Timeout("eia", seconds=0.01)
    with pytest.raises(DeadlinePassed, match="eia"):
        async with timeout():
            await asyncio.sleep(5)
    assert (timeout.state().calls, timeout.state().expired) == (1, 1)


async def test_work_that_is_done_in_time_is_not_disturbed() -> None:
    timeout = Timeout("eia", seconds=300)

    for _ in range(2):
        async with timeout():
            await asyncio.sleep(0)
    assert (timeout.state().calls, timeout.state().expired) == (2, 0)


async def test_inside_there_is_no_more_time_than_outside() -> None:
    async with Timeout("outer", seconds=200)():
        outer = deadline()
        async with Timeout("inner", seconds=3_600)():
            assert deadline() == outer
        async with Timeout("short", seconds=100)():
            assert deadline() < outer
            assert 0 < time_left() <= 100
        assert deadline() == outer
    assert deadline() == NEVER


async def test_work_that_is_started_inside_knows_the_deadline() -> None:
    async def seen() -> float:
        return deadline()

    async with Timeout("outer", seconds=300)():
        assert await asyncio.create_task(seen()) == deadline() < NEVER


async def test_a_timeout_of_the_work_itself_stays_what_it_is() -> None:
    with pytest.raises(TimeoutError, match="of its own"):
        async with Timeout("outer", seconds=300)():
            raise TimeoutError("of its own")


def test_time_left_is_bounded_and_ends() -> None:
    assert time_left() == NEVER
    assert time_left(3.0) == 3.0
    token = set_deadline(time.monotonic() + 10_000)
    assert 9_000 < time_left() <= 10_000
    assert time_left(3.0) == 3.0
    reset_deadline(token)
    token = set_deadline(time.monotonic() - 1)
    with pytest.raises(DeadlinePassed):
        time_left()
    reset_deadline(token)
