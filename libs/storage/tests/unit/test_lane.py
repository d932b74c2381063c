"""Turns of reads on controlled connections, because a real server cannot be made to answer at one exact step."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import asyncpg

from aurum.storage.postgres.connection.read_connections import Connection, ReadConnections
from aurum.storage.postgres.connection.slow_queries import SlowQueries
from aurum.storage.testing.waiting import wait_until


class ControlledConnection:
    """Connection that answers, or fails, when ``answer`` is set."""

    def __init__(self, *, fails: bool) -> None:
        self.fails = fails
        self.answer = asyncio.Event()

    async def execute(self, *_: object, **__: object) -> None:
        """Accept the settings of the session."""

    async def fetchrow(self, *_: object, **__: object) -> int:
        await self.answer.wait()
        if self.fails:
            raise OSError("cut")
        return 1


async def test_the_turn_of_a_cancelled_read_goes_to_the_next_read() -> None:
    first, second = ControlledConnection(fails=True), ControlledConnection(fails=False)
    second.answer.set()
    connections = iter((first, second))

    async def acquire() -> Connection:
        return cast("Connection", next(connections))

    async def release(_: Connection) -> None:
        return None

    slow = SlowQueries(cast("asyncpg.Pool[Any]", None), threshold_s=float("inf"))
    reads = ReadConnections(acquire, release, limit=1, wait_limit_s=300, statement_timeout_s=300, grace_s=1, slow=slow)
    failing, cancelled, following = (asyncio.create_task(reads.fetchrow("SELECT 1")) for _ in range(3))
    await wait_until(lambda: reads.waiting == 2)
    first.answer.set()
    while reads.waiting == 2:  # noqa: ASYNC110 - one step of the event loop at a time
        await asyncio.sleep(0)
    cancelled.cancel()  # it has received the turn, and has not run yet
    assert await asyncio.wait_for(following, 60) == 1
    await asyncio.wait([failing, cancelled])
    assert cancelled.cancelled()
    await reads.close()
