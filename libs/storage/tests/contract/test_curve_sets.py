"""Curve sets of tenants: their overrides, their pinned marks, and what other tenants see of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from aurum.core.curves.marks import NAMED_MARKS, Override, SetState
from aurum.core.errors import UnknownName
from aurum.storage.ports.access import Actor, OtherTenant
from aurum.storage.ports.curve_sets import CurveSet, CurveSetFilter, TakenStep, UnknownCurveSet, UnknownOverride
from aurum.storage.testing.stores import Store

NOW = datetime(2024, 10, 14, 16, 30, 0, 123_456, tzinfo=UTC)
JAN, FEB = date(2025, 1, 1), date(2025, 2, 1)
OPERATOR = Actor("key:operator")


def curve_set(set_id: str = "s1", tenant: str = "acme", *, minutes: int = 0) -> CurveSet:
    created = NOW + timedelta(minutes=minutes)
    steps = (TakenStep("create", created, "key:1", "owner:Anna"),)
    return CurveSet(set_id, tenant, "eod", date(2024, 10, 14), ("a:b:c:d",), NOW, SetState.DRAFT, 1, created, steps)


def override(**changes: object) -> Override:
    made = Override("a:b:c:d", JAN, FEB, 98.5, 98.0, None, "broker", date(2024, 10, 18), NOW, "key:1", "owner:Anna")
    return replace(made, **changes)


def named(value: float | None = 98.5) -> pl.DataFrame:
    row = ("a:b:c:d", JAN, FEB, 99.0, None, None, value, value, 98.0, None, "override", NOW, "override")
    more = ("Jan-25", "month", NOW, NOW + timedelta(days=31), 744.0, "EUR/MWh", None)
    return pl.DataFrame([(*row, *more)], schema=NAMED_MARKS, orient="row")


async def with_sets(store: Store, *sets: CurveSet) -> None:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        for name in ("acme", "bolt"):
            await tx.tenants.insert(name, name.title(), "basic")
    for one in sets:
        async with store.transactions.transaction(by=OPERATOR, tenant=one.tenant) as tx:
            await tx.curve_sets.insert(one)


async def test_a_set_is_read_as_it_was_stored(store: Store) -> None:
    await with_sets(store, curve_set())
    assert await store.curve_sets.read("acme", "s1") == curve_set()
    assert await store.curve_sets.overrides("acme", "s1") == []
    assert (await store.curve_sets.marks("acme", "s1", 1)).schema == NAMED_MARKS


async def test_another_tenant_sees_and_changes_nothing(store: Store) -> None:
    await with_sets(store, curve_set())
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        await tx.curve_sets.put_override("s1", override())
        await tx.curve_sets.pin("s1", 2, named())
    with pytest.raises(UnknownCurveSet):
        await store.curve_sets.read("bolt", "s1")
    assert await store.curve_sets.overrides("bolt", "s1") == []
    assert (await store.curve_sets.marks("bolt", "s1", 2)).is_empty()
    assert await store.curve_sets.page("bolt", CurveSetFilter(), before=None, limit=9) == []
    with pytest.raises(UnknownCurveSet):
        async with store.transactions.transaction(by=OPERATOR, tenant="bolt") as tx:
            await tx.curve_sets.locked("s1")
    with pytest.raises(UnknownOverride):
        async with store.transactions.transaction(by=OPERATOR, tenant="bolt") as tx:
            await tx.curve_sets.delete_override("s1", "a:b:c:d", JAN, FEB)
    with pytest.raises(OtherTenant):
        async with store.transactions.transaction(by=OPERATOR, tenant="bolt") as tx:
            await tx.curve_sets.insert(curve_set("s2"))
    with pytest.raises(UnknownName):
        async with store.transactions.transaction(by=OPERATOR, tenant="none") as tx:
            await tx.curve_sets.insert(curve_set("s2", "none"))


async def test_pages_go_from_the_newest_by_filters(store: Store) -> None:
    later = replace(curve_set("s3", minutes=2), state=SetState.SUBMITTED, name="close")
    await with_sets(store, curve_set("s1"), curve_set("s2"), later)

    async def ids(criteria: CurveSetFilter, before: tuple[datetime, str] | None = None, limit: int = 9) -> list[str]:
        return [one.set_id for one in await store.curve_sets.page("acme", criteria, before=before, limit=limit)]

    assert await ids(CurveSetFilter()) == ["s3", "s2", "s1"]
    assert await ids(CurveSetFilter(), limit=2) == ["s3", "s2"]
    assert await ids(CurveSetFilter(), (NOW, "s2")) == ["s1"]
    assert await ids(CurveSetFilter(state=SetState.SUBMITTED)) == ["s3"]
    assert await ids(CurveSetFilter(trade_date=date(2024, 10, 15))) == []
    assert await ids(CurveSetFilter(name="eod", trade_date=date(2024, 10, 14))) == ["s2", "s1"]


async def test_an_override_replaces_that_of_its_period(store: Store) -> None:
    await with_sets(store, curve_set())
    until = override(settle=97.0, bid=None, expires=NOW, person=None)
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        await tx.curve_sets.put_override("s1", override())
        await tx.curve_sets.put_override("s1", override(first=FEB, end=date(2025, 3, 1), expires=None))
        await tx.curve_sets.put_override("s1", until)
        assert [one.settle for one in await tx.curve_sets.overrides("s1")] == [97.0, 98.5]
    stored = await store.curve_sets.overrides("acme", "s1")
    assert stored == [until, override(first=FEB, end=date(2025, 3, 1), expires=None)]
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        assert await tx.curve_sets.delete_override("s1", "a:b:c:d", JAN, FEB) == until
    assert len(await store.curve_sets.overrides("acme", "s1")) == 1


async def test_a_change_keeps_steps_pins_and_succession(store: Store) -> None:
    await with_sets(store, curve_set())
    step = TakenStep("submit", NOW, "user:bert", None, "why")
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        before = await tx.curve_sets.locked("s1")
        after = replace(
            before, state=SetState.SUBMITTED, version=2, steps=(*before.steps, step), pin=2, pinned_at=NOW, superseded_by="s2"
        )
        await tx.curve_sets.change(after)
        await tx.curve_sets.pin("s1", 2, named())
    assert await store.curve_sets.read("acme", "s1") == after
    assert (await store.curve_sets.marks("acme", "s1", 2)).equals(named())


async def test_what_a_transaction_wrote_goes_with_it(store: Store) -> None:
    await with_sets(store, curve_set())

    async def fail() -> None:
        async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
            await tx.curve_sets.put_override("s1", override())
            await tx.curve_sets.pin("s1", 2, named())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await store.curve_sets.overrides("acme", "s1") == []
    assert (await store.curve_sets.marks("acme", "s1", 2)).is_empty()


async def test_a_locked_set_waits_for_the_other_transaction(store: Store) -> None:
    await with_sets(store, curve_set())

    async def count() -> None:
        async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
            one = await tx.curve_sets.locked("s1")
            await asyncio.sleep(0)
            await tx.curve_sets.change(replace(one, version=one.version + 1))

    await asyncio.gather(*(count() for _ in range(5)))
    assert (await store.curve_sets.read("acme", "s1")).version == 6
