"""Watermarks of fetches, and what became of days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from aurum.storage.ports.access import Actor
from aurum.storage.ports.watermarks import DayState, FetchedDay, FetchState, Watermark
from aurum.storage.testing.stores import Store

BY = Actor("aurum")
AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
WATERMARK = Watermark("pjm", "da_hrl_lmps", date(2026, 5, 1), AT, AT, AT, FetchState.LATE, "not there")


async def put(store: Store, *watermarks: Watermark) -> None:
    async with store.transactions.transaction(by=BY) as tx:
        for watermark in watermarks:
            await tx.watermarks.put(watermark)


async def put_days(store: Store, *days: FetchedDay) -> None:
    async with store.transactions.transaction(by=BY) as tx:
        await tx.watermarks.put_days(days)


def day(number: int, state: DayState, reason: str = "") -> FetchedDay:
    return FetchedDay("pjm", "da_hrl_lmps", date(2026, 5, number), state, AT, reason)


async def test_a_watermark_is_stored_and_replaced(store: Store) -> None:
    assert await store.watermarks.watermark("pjm", "da_hrl_lmps") is None
    await put(store, WATERMARK)
    assert await store.watermarks.watermark("pjm", "da_hrl_lmps") == WATERMARK
    later = Watermark("pjm", "da_hrl_lmps")
    await put(store, later)
    assert await store.watermarks.watermark("pjm", "da_hrl_lmps") == later


async def test_watermarks_are_listed_by_source_and_dataset(store: Store) -> None:
    await put(store, *(replace(WATERMARK, source=source, dataset=name) for source, name in ("ba", "ab", "aa", "AZ")))
    assert [one.source + one.dataset for one in await store.watermarks.watermarks()] == ["AZ", "aa", "ab", "ba"]


async def test_days_of_a_range_are_listed(store: Store) -> None:
    await put_days(store, day(3, DayState.MISSING), day(1, DayState.LOADED), day(2, DayState.REFUSED, "no header"))
    listed = await store.watermarks.days("pjm", "da_hrl_lmps", date(2026, 5, 1), date(2026, 5, 2))
    assert listed == [day(1, DayState.LOADED), day(2, DayState.REFUSED, "no header")]
    assert await store.watermarks.days("pjm", "other", date(2026, 5, 1), date(2026, 5, 2)) == []


async def test_a_day_that_is_loaded_stays_loaded(store: Store) -> None:
    await put_days(store, day(1, DayState.FAILED, "no answer"), day(2, DayState.LOADED))
    await put_days(store, day(1, DayState.LOADED), day(2, DayState.FAILED, "no answer"))
    listed = await store.watermarks.days("pjm", "da_hrl_lmps", date(2026, 5, 1), date(2026, 5, 2))
    assert [one.state for one in listed] == [DayState.LOADED, DayState.LOADED]
