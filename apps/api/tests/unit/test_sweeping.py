"""Expired entries are removed again and again, also after the store was unavailable."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from aurum.api.process.sweeping import sweep_often
from aurum.common.cache import TierUnavailable
from aurum.core.errors import Unavailable


@pytest.mark.parametrize("failure", [Unavailable, TierUnavailable])
async def test_a_store_that_was_away_is_asked_again(failure: type[Exception]) -> None:
    calls: list[str] = []
    done = asyncio.Event()

    async def away() -> int:
        calls.append("away")
        raise failure("not there")

    async def there() -> int:
        calls.append("there")
        if len(calls) >= 6:
            done.set()
        return 1

    task = asyncio.create_task(sweep_often(away, there, every_s=0.001))
    await asyncio.wait_for(done.wait(), 120)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert calls[:6] == ["away", "there"] * 3
