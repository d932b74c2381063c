"""What is over is forgotten, time and again, also after a store was away."""

from __future__ import annotations

import asyncio
import contextlib

from aurum.api.sweeping import sweep_often
from aurum.core.errors import Unavailable


async def test_a_store_that_was_away_is_asked_again() -> None:
    asked: list[str] = []
    done = asyncio.Event()

    async def away() -> int:
        asked.append("away")
        raise Unavailable("not there")

    async def there() -> int:
        asked.append("there")
        if len(asked) >= 6:
            done.set()
        return 1

    task = asyncio.create_task(sweep_often(away, there, every_s=0.001))
    await asyncio.wait_for(done.wait(), 5)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert asked[:6] == ["away", "there"] * 3
