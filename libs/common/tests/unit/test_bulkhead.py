"""Bulkheads: never more at once than there are places, first come first served, and nobody waits for long."""

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
    bulkhead = Bulkhead("reads", places=2, queue=10, longest_wait_s=1)
    most = 0

    async def work() -> None:
        nonlocal most
        async with bulkhead():
            most = max(most, bulkhead.taken)
            await asyncio.sleep(0.001)

    await asyncio.gather(*(work() for _ in range(10)))
    assert most == 2
    assert (bulkhead.taken, bulkhead.waiting, bulkhead.state().entered) == (0, 0, 10)


async def test_when_the_queue_is_full_the_next_is_refused_at_once() -> None:
    bulkhead = Bulkhead("reads", places=1, queue=1, longest_wait_s=1)
    assert bulkhead.try_enter()
    waits = asyncio.create_task(bulkhead.wait_for_place())
    await settle()
    with pytest.raises(QueueFull):
        await bulkhead.wait_for_place()
    bulkhead.leave()
    await waits
    assert bulkhead.state().full == 1


async def test_whoever_waits_too_long_is_refused_and_takes_no_place() -> None:
    bulkhead = Bulkhead("reads", places=1, queue=5, longest_wait_s=0.01)
    assert bulkhead.try_enter()
    with pytest.raises(WaitedTooLong, match="reads"):
        await bulkhead.wait_for_place()
    bulkhead.leave()
    assert (bulkhead.taken, bulkhead.waiting) == (0, 0)
    assert bulkhead.try_enter()


async def test_who_waits_goes_before_who_comes() -> None:
    bulkhead = Bulkhead("reads", places=1, queue=5, longest_wait_s=1)
    order: list[str] = []

    async def work(name: str) -> None:
        async with bulkhead():
            order.append(name)
            await asyncio.sleep(0)

    first, second = asyncio.create_task(work("first")), asyncio.create_task(work("second"))
    await settle()
    await asyncio.gather(first, second, work("third"))
    assert order == ["first", "second", "third"]


async def test_a_place_that_comes_as_its_wish_is_withdrawn_goes_to_the_next() -> None:
    bulkhead = Bulkhead("reads", places=1, queue=5, longest_wait_s=1)
    assert bulkhead.try_enter()
    leaving = asyncio.create_task(bulkhead.wait_for_place())
    staying = asyncio.create_task(bulkhead.wait_for_place())
    await settle()
    bulkhead.leave()
    leaving.cancel()
    await asyncio.wait_for(staying, 0.5)
    assert bulkhead.taken == 1


async def test_more_places_let_those_in_who_wait() -> None:
    bulkhead = Bulkhead("reads", places=1, queue=5, longest_wait_s=1)
    assert bulkhead.try_enter()
    waits = [asyncio.create_task(bulkhead.wait_for_place()) for _ in range(3)]
    await settle()
    bulkhead.resize(3)
    await settle()
    assert [task.done() for task in waits] == [True, True, False]
    bulkhead.leave()
    await asyncio.gather(*waits)


@given(st.lists(st.sampled_from(["come", "leave", "cancel", "grow", "shrink"]), max_size=60))
def test_places_taken_are_those_of_who_is_inside_whatever_happens(happenings: list[str]) -> None:
    """The law: taken = entered and not left; never more than the most places there ever were; who waits, waits for one."""

    async def run() -> None:
        bulkhead = Bulkhead("any", places=2, queue=3, longest_wait_s=30)
        inside, waits, most = 0, [], 2
        for happening in happenings:
            if happening == "come":
                if bulkhead.try_enter():
                    inside += 1
                elif bulkhead.waiting < 3:
                    waits.append(asyncio.create_task(bulkhead.wait_for_place()))
            elif happening == "leave" and inside:
                bulkhead.leave()
                inside -= 1
            elif happening == "cancel" and waits:
                waits[0].cancel()
            elif happening in ("grow", "shrink"):
                bulkhead.resize(max(1, bulkhead.places + (1 if happening == "grow" else -1)))
                most = max(most, bulkhead.places)
            await settle()
            inside += sum(task.done() and not task.cancelled() for task in waits)
            waits = [task for task in waits if not task.done()]
            assert bulkhead.taken == inside <= most
            assert bulkhead.waiting == len(waits)
            assert not waits or bulkhead.taken >= bulkhead.places
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

    asyncio.run(run())
