"""The lane's turns, on connections that do as they are told: a real server cannot be made to answer at one exact step."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import asyncpg

from aurum.storage.postgres.connection.read_connections import Connection, ReadLane
from aurum.storage.postgres.connection.slow_queries import SlowQueries
from aurum.storage.testing.waiting import wait_until


class Told:
    """Answers, or breaks, when ``answer`` is set."""

    def __init__(self, *, breaks: bool) -> None:
        self.breaks = breaks
        self.answer = asyncio.Event()

    async def execute(self, *_: object, **__: object) -> None:
        """What readies it."""

    async def fetchrow(self, *_: object, **__: object) -> int:
        await self.answer.wait()
        if self.breaks:
            raise OSError("cut")
        return 1


async def test_room_that_a_cancelled_read_was_given_goes_to_the_next() -> None:
    first, second = Told(breaks=True), Told(breaks=False)
    second.answer.set()
    waiting = iter((first, second))

    async def lend() -> Connection:
        return cast("Connection", next(waiting))

    async def take_back(_: Connection) -> None:
        return None

    slow = SlowQueries(cast("asyncpg.Pool[Any]", None), threshold_s=float("inf"))
    lane = ReadLane(lend, take_back, width=1, patience_s=30, statement_s=30, grace_s=1, slow=slow)
    breaking, given_up, next_one = (asyncio.create_task(lane.fetchrow("SELECT 1")) for _ in range(3))
    await wait_until(lambda: lane.waiting == 2)
    first.answer.set()
    while lane.waiting == 2:  # noqa: ASYNC110 - a step at a time
        await asyncio.sleep(0)
    given_up.cancel()  # it has been told of the room, and has not moved yet
    assert await asyncio.wait_for(next_one, 5) == 1
    await asyncio.wait([breaking, given_up])
    assert given_up.cancelled()
    await lane.close()
