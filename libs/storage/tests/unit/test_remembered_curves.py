"""Shared products and reference documents are read once for as long as the change feed vouches for them."""

from __future__ import annotations

import time

import pytest

from aurum.common.clock import SystemClock
from aurum.core.errors import UnknownName
from aurum.storage.memory import MemoryStore
from aurum.storage.memory.changes import MemoryChangeFeed
from aurum.storage.ports.changes import Change, ChangeKind
from aurum.storage.ports.curves import ReferenceKind
from aurum.storage.remembered_curves import CachedCurveReader
from aurum.storage.testing.curves import BY, add_product

KEY = "power:XX:base:INVENTED"
CALENDAR = ReferenceKind.DELIVERY_CALENDAR


class BehindFeed(MemoryChangeFeed):
    """A feed that lags behind the store."""

    @property
    def delivered_until(self) -> float:
        return time.monotonic() - 60


async def put_calendar(store: MemoryStore, version: int | None) -> None:
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.put_reference(CALENDAR, "own", {"version": version}, tenant=None, version=version, by="test")


@pytest.mark.parametrize(
    "change", [Change(ChangeKind.CURVES, ("1",)), Change(ChangeKind.CURVES), Change(ChangeKind.EVERYTHING)]
)
async def test_a_change_of_curves_drops_what_is_cached(change: Change) -> None:
    store, feed = MemoryStore(SystemClock()), MemoryChangeFeed()
    reader = CachedCurveReader(store.curves, feed)
    await add_product(store, KEY)
    await put_calendar(store, None)
    assert (await reader.product(KEY, tenant=None)).version == 1
    assert [one.version for one in await reader.references(CALENDAR, tenant=None)] == [1]
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.delete_product(KEY, tenant=None)
    await put_calendar(store, 1)
    await feed.publish(Change(ChangeKind.SERIES, ("1",)))
    assert (await reader.product(KEY, tenant=None)).version == 1
    assert [one.version for one in await reader.references(CALENDAR, tenant=None)] == [1]
    await feed.publish(change)
    with pytest.raises(UnknownName):
        await reader.product(KEY, tenant=None)
    assert [one.version for one in await reader.references(CALENDAR, tenant=None)] == [2]


async def test_nothing_is_taken_from_the_cache_while_the_feed_is_behind() -> None:
    store = MemoryStore(SystemClock())
    reader = CachedCurveReader(store.curves, BehindFeed())
    assert await reader.references(CALENDAR, tenant=None) == []
    await put_calendar(store, None)
    assert len(await reader.references(CALENDAR, tenant=None)) == 1
