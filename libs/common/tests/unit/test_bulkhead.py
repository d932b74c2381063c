"""Bulkheads: never more at once than there are places, first come first served, and no wait is long."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.common.resilience.bulkhead import Bulkhead
from aurum.common.resilience.errors import QueueFull, WaitedTooLong


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_are_under_way_than_there_are_places() -> None:
    bulkhead = Bulkhead("reads", places=2, queue=10, longest_wait_s=300)
    most = 0

    async def work() -> None:
        nonlocal most
        async with bulkhead():
            most = max(most, bulkhead.in_use)
            await asyncio.sleep(0.001)

    await asyncio.gather(*(work() for _ in range(10)))
    assert most == 2
    assert (bulkhead.in_use, bulkhead.waiting, bulkhead.state().entered) == (0, 0, 10)


async def test_when_the_queue_is_full_the_next_is_refused_at_once() -> None:
    bulkhead = Bulkhead("reads", places=1, queue=1, longest_wait_s=300)
    assert bulkhead.try_enter()
    waits = asyncio.create_task(bulkhead.wait_for_place())
    await settle()
    with pytest.raises(QueueFull):
        await bulkhead.wait_for_place()
    bulkhead.leave()
    await waits
    assert bulkhead.state().full == 1


async def test_a_caller_that_waits_too_long_is_refused_and_takes_no_place() -> None:
    bulkhead = Bulkhead("reads", places=1, queue=5, longest_wait_s=0.01)
    assert bulkhead.try_enter()
    with pytest.raises(WaitedTooLong, match="reads"):
        await bulkhead.wait_for_place()
    bulkhead.leave()
    assert (bulkhead.in_use, bulkhead.waiting) == (0, 0)
    assert bulkhead.try_enter()


async def test_a_caller_that_waits_goes_before_a_new_one() -> None:
    bulkhead = Bulkhead("reads", places=1, queue=5, longest_wait_s=300)
    order: list[str] = []

    async def work(name: str) -> None:
        async with bulkhead():
            order.append(name)
            await asyncio.sleep(0)

    first, second = asyncio.create_task(work("first")), asyncio.create_task(work("second"))
    await settle()
    await asyncio.gather(first, second, work("third"))
    assert order == ["first", "second", "third"]


async def test_a_place_granted_as_its_wait_is_cancelled_goes_to_the_next() -> None:
    bulkhead = Bulkhead("reads", places=1, queue=5, longest_wait_s=300)
    assert bulkhead.try_enter()
    leaving = asyncio.create_task(bulkhead.wait_for_place())
    staying = asyncio.create_task(bulkhead.wait_for_place())
    await settle()
    bulkhead.leave()
    leaving.cancel()
    await asyncio.wait_for(staying, 60)
    assert bulkhead.in_use == 1


async def test_more_places_admit_callers_that_wait() -> None:
    bulkhead = Bulkhead("reads", places=1, queue=5, longest_wait_s=300)
    assert bulkhead.try_enter()
    waits = [asyncio.create_task(bulkhead.wait_for_place()) for _ in range(3)]
    await settle()
    bulkhead.resize(3)
    await settle()
    assert [task.done() for task in waits] == [True, True, False]
    bulkhead.leave()
    await asyncio.gather(*waits)


@given(st.lists(st.sampled_from(["come", "leave", "cancel", "grow", "shrink"]), max_size=60))
def test_places_in_use_are_those_entered_and_not_left_whatever_happens(events: list[str]) -> None:
    """The law: in use = entered and not left; never more than the most places so far; callers wait only while none is free."""

    async def run() -> None:
        bulkhead = Bulkhead("any", places=2, queue=3, longest_wait_s=300)
        inside, waits, most = 0, [], 2
        for event in events:
            if event == "come":
                if bulkhead.try_enter():
                    inside += 1
                elif bulkhead.waiting < 3:
                    waits.append(asyncio.create_task(bulkhead.wait_for_place()))
            elif event == "leave" and inside:
                bulkhead.leave()
                inside -= 1
            elif event == "cancel" and waits:
                waits[0].cancel()
            elif event in ("grow", "shrink"):
                bulkhead.resize(max(1, bulkhead.places + (1 if event == "grow" else -1)))
                most = max(most, bulkhead.places)
            await settle()
            inside += sum(task.done() and not task.cancelled() for task in waits)
            waits = [task for task in waits if not task.done()]
            assert bulkhead.in_use == inside <= most
            assert bulkhead.waiting == len(waits)
            assert not waits or bulkhead.in_use >= bulkhead.places
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

    asyncio.run(run())
