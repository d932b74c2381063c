"""Products of derived curves: one with quotes of others is never taken over, and one of derived quotes alone may be again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from aurum.core.catalog.entries import KnownAtBasis
from aurum.storage.ports.curves import CurveQuotes, StoredProduct
from aurum.storage.ports.derived_curves import (
    SOURCE,
    DerivedCurve,
    DerivedInput,
    FinishedBuild,
    NewDerivedCurve,
    NotDerived,
)
from aurum.storage.ports.observations import Moment
from aurum.storage.testing.builders import day
from aurum.storage.testing.curves import BY, Quote, add_product, quotes_file
from aurum.storage.testing.stores import PostgresStore, Store
from aurum.storage.testing.waiting import wait_until

HUB, OWN = "power:XT:base:HUB", "power:XT:base:OWN"
QUOTES: list[Quote] = [(0, 1, 0, 50.0), (0, 2, 0, 51.0), (3, 1, 3, 52.0)]


async def products(store: Store, tenant: str | None) -> tuple[StoredProduct, StoredProduct]:
    """Add a hub of all, and a product of an owner."""
    if tenant is not None:
        async with store.transactions.transaction(by=BY) as tx:
            await tx.tenants.insert(tenant, tenant, "basic")
    return await add_product(store, HUB), await add_product(store, OWN, tenant=tenant)


async def derive(store: Store, hub: StoredProduct, own: StoredProduct) -> DerivedCurve:
    expression = {"op": "shift", "curve": HUB, "by": 1.0}
    inputs = (DerivedInput(hub.curve_id, HUB),)
    new = NewDerivedCurve(OWN, OWN, own.tenant, own.curve_id, expression, None, inputs, "key:abc")
    async with store.transactions.transaction(by=BY) as tx:
        return await tx.derived_curves.add(new)


async def build(store: Store, curve: DerivedCurve) -> None:
    """Store quotes of a build, as its load does."""
    async with store.transactions.transaction(by=BY) as tx:
        begun = await tx.derived_curves.begin(curve.derived_id)
    file = quotes_file(QUOTES, key=OWN, basis=KnownAtBasis.INGESTED, tenant=curve.tenant)
    (part,) = file.parts
    assert isinstance(part, CurveQuotes)
    record = replace(file.record, source=SOURCE, digest=f"build {begun.builds}")
    done = FinishedBuild(curve.derived_id, begun.builds, (), {}, {})
    await store.loader.load(replace(file, record=record, parts=(replace(part, source=SOURCE),), build=done))


@pytest.mark.parametrize("tenant", [None, "acme"])
async def test_a_product_with_quotes_of_others_is_not_taken_over(store: Store, tenant: str | None) -> None:
    hub, own = await products(store, tenant)
    await store.loader.load(quotes_file(QUOTES, key=OWN, tenant=tenant))
    with pytest.raises(NotDerived, match=r"has quotes on 2 trade dates that are not derived, .* choose another key") as refused:
        await derive(store, hub, own)
    assert refused.value.facts == {"key": OWN, "trade_dates": 2}
    assert await store.derived_curves.page(tenant=tenant, limit=10) == []


@pytest.mark.parametrize("tenant", [None, "acme"])
async def test_a_product_of_derived_quotes_is_derived_again_until_others_are_loaded(store: Store, tenant: str | None) -> None:
    hub, own = await products(store, tenant)
    for _ in range(2):
        curve = await derive(store, hub, own)
        await build(store, curve)
        async with store.transactions.transaction(by=BY) as tx:
            await tx.derived_curves.delete(curve.derived_id, tenant=tenant)
    await store.loader.load(quotes_file([(3, 2, 4, 60.0)], key=OWN, tenant=tenant))
    with pytest.raises(NotDerived, match="on 1 trade date that are"):
        await derive(store, hub, own)


async def test_quotes_of_a_load_under_way_count(postgres_store: PostgresStore) -> None:
    store = postgres_store
    hub, own = await products(store, None)
    (part,) = quotes_file(QUOTES, key=OWN).parts
    assert isinstance(part, CurveQuotes)
    async with store.transactions.transaction(by=BY) as tx:
        locked = await tx.curves.lock(part.curves, tenant=None)
        adding = asyncio.create_task(derive(store, hub, own))
        await wait_until(partial(_is_waiting, store), "the addition waits for a load of its product")
        await tx.curves.store(part, locked, moment=Moment(day(0), KnownAtBasis.PUBLISHED), recording_id=1)
    with pytest.raises(NotDerived):
        await adding


async def _is_waiting(store: PostgresStore) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with store.pool.acquire() as connection:
        return await connection.fetchval(waiting) > 0
