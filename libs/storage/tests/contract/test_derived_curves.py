"""Derived curves: a load of an input makes them stale and submits their job, a build ends with its quotes or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import partial

import polars as pl
import pytest

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.curves.quotes import CHANGED_DATES, FILE_CURVES
from aurum.core.errors import Conflict
from aurum.storage.ports.derived_curves import (
    RATES_ID,
    REBUILD,
    BuildOvertaken,
    ComputedQuotes,
    CurveCycle,
    CurveInUse,
    DerivedCurve,
    DerivedInput,
    DerivedState,
    FinishedBuild,
    NewDerivedCurve,
    UnknownDerivedCurve,
    rebuild_job,
)
from aurum.storage.ports.jobs import Job, JobFilter
from aurum.storage.testing.curves import BY, EVERYTHING, Quote, add_product, quotes_file, trade_day
from aurum.storage.testing.stores import PostgresStore, Store
from aurum.storage.testing.waiting import wait_until

HUB, GAS = "power:XX:base:INVENTED", "gas:HUB:base:BROKER"
MINE, OWN = "power:XX:base:DERIVED", "power:XX:base:MARKS"


async def add_tenants(store: Store) -> None:
    for tenant in ("acme", "bolt"):
        async with store.transactions.transaction(by=BY) as tx:
            await tx.tenants.insert(tenant, tenant, "basic")


async def derive(
    store: Store,
    key: str,
    *inputs: str,
    tenant: str | None = None,
    first: date | None = None,
    name: str = "",
    expression: Mapping[str, object] | None = None,
) -> DerivedCurve:
    """Add a product and make it a derived curve. Inputs are products that the owner may read."""
    product = await add_product(store, key, tenant=tenant)
    read = [await store.curves.product(one, tenant=tenant) for one in inputs]
    new = NewDerivedCurve(
        name or key,
        key,
        tenant,
        product.curve_id,
        expression or {"op": "shift", "curve": inputs[0], "by": 1.0},
        first,
        tuple(DerivedInput(one.curve_id, str(one.product.key)) for one in read),
        "key:abc",
    )
    async with store.transactions.transaction(by=BY) as tx:
        return await tx.derived_curves.add(new)


async def begin(store: Store, curve: DerivedCurve) -> DerivedCurve:
    async with store.transactions.transaction(by=BY) as tx:
        return await tx.derived_curves.begin(curve.derived_id)


def finished(begun: DerivedCurve, **versions: int) -> FinishedBuild:
    read = {one.curve_id: versions.get(one.key.partition(":")[0], 1) for one in begun.inputs}
    return FinishedBuild(begun.derived_id, begun.builds, tuple(one.change_id for one in begun.changes), read, {"quotes": 2})


async def jobs(store: Store) -> list[Job]:
    return list(await store.jobs.page(JobFilter(name=REBUILD), limit=100))


async def current(store: Store, curve: DerivedCurve) -> DerivedCurve:
    return await store.derived_curves.curve(curve.derived_id, tenant=curve.tenant)


async def load(store: Store, quotes: list[Quote], *, key: str = HUB, tenant: str | None = None) -> None:
    await store.loader.load(quotes_file(quotes, key=key, tenant=tenant))


async def test_a_new_curve_is_building_and_reads_back(store: Store) -> None:
    await add_product(store, HUB)
    await add_product(store, GAS)
    added = await derive(store, MINE, HUB, GAS, first=trade_day(1))
    assert (added.state, added.builds, added.built_at, added.changes) == (DerivedState.BUILDING, 0, None, ())
    assert [one.key for one in added.inputs] == [HUB, GAS]
    assert (added.expression, added.first) == ({"op": "shift", "curve": HUB, "by": 1.0}, trade_day(1))
    assert await current(store, added) == added
    assert await store.derived_curves.of_product(added.curve_id, tenant=None) == added
    assert await store.derived_curves.of_product(added.inputs[0].curve_id, tenant=None) is None
    assert await jobs(store) == []


async def test_a_load_of_an_input_makes_it_stale_and_submits_one_job_until_a_build_begins(store: Store) -> None:
    await add_product(store, HUB)
    curve = await derive(store, MINE, HUB)
    begun = await begin(store, curve)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.derived_curves.finish(finished(begun), known_at=None)
    assert (await current(store, curve)).state is DerivedState.FRESH
    await load(store, [(0, 1, 0, 50.0), (2, 1, 2, 51.0)])
    await load(store, [(0, 1, 3, 52.0)])
    stale = await current(store, curve)
    assert stale.state is DerivedState.STALE
    assert [one.trade_dates for one in stale.changes] == [(trade_day(0), trade_day(2)), (trade_day(0),)]
    (job,) = await jobs(store)
    assert job.payload == {"derived_id": curve.derived_id, "whole": False}
    second = await begin(store, curve)
    await load(store, [(5, 1, 5, 53.0)])
    assert len(await jobs(store)) == 2, "the build that has begun may not see this load"
    assert len({one.exclusive for one in await jobs(store)}) == 1
    async with store.transactions.transaction(by=BY) as tx:
        await tx.derived_curves.finish(finished(second, power=7), known_at=None)
    left = await current(store, curve)
    assert (left.state, [one.trade_dates for one in left.changes]) == (DerivedState.STALE, [(trade_day(5),)])
    assert left.inputs[0].version == 7


async def test_quotes_that_repeat_what_is_known_change_nothing(store: Store) -> None:
    await add_product(store, HUB)
    await load(store, [(0, 1, 0, 50.0)])
    curve = await derive(store, MINE, HUB)
    await load(store, [(0, 1, 4, 50.0)])
    assert (await current(store, curve)).changes == ()
    assert await jobs(store) == []


async def test_trade_dates_before_the_first_do_not_count(store: Store) -> None:
    await add_product(store, HUB)
    curve = await derive(store, MINE, HUB, first=trade_day(3))
    await load(store, [(2, 1, 2, 50.0)])
    assert (await current(store, curve)).changes == ()
    await load(store, [(2, 1, 5, 51.0), (3, 1, 5, 51.0)])
    assert [one.trade_dates for one in (await current(store, curve)).changes] == [(trade_day(3),)]


async def test_a_build_ends_in_the_transaction_of_its_quotes(store: Store) -> None:
    await add_product(store, HUB)
    await load(store, [(0, 1, 0, 50.0)])
    curve = await derive(store, MINE, HUB)
    begun = await begin(store, curve)
    file = quotes_file([(0, 1, None, 51.0)], key=MINE)
    record = replace(file.record, known_at_basis=KnownAtBasis.INGESTED, is_published_again=True)
    await store.loader.load(replace(file, record=record, build=finished(begun, power=2)))
    built = await current(store, curve)
    assert (built.state, built.report) == (DerivedState.FRESH, {"quotes": 2})
    quotes = await store.curves.quotes([curve.curve_id], EVERYTHING)
    assert quotes["known_at"].to_list() == [built.built_at]


async def test_quotes_of_a_derived_curve_come_from_its_builds_alone(store: Store) -> None:
    await add_product(store, HUB)
    await derive(store, MINE, HUB)
    with pytest.raises(ComputedQuotes, match="is a derived curve"):
        await load(store, [(1, 1, 1, 40.0)], key=MINE)
    assert (await store.curves.product(MINE, tenant=None)).first_trade_date is None


async def test_a_build_that_was_overtaken_stores_nothing(store: Store) -> None:
    await add_product(store, HUB)
    curve = await derive(store, MINE, HUB)
    first = await begin(store, curve)
    later = await begin(store, curve)
    file = quotes_file([(0, 1, 0, 51.0)], key=MINE)
    with pytest.raises(BuildOvertaken):
        await store.loader.load(replace(file, build=finished(first)))
    assert (await store.curves.quotes([curve.curve_id], EVERYTHING)).is_empty()
    await store.loader.load(replace(file, build=finished(later)))
    assert (await current(store, curve)).state is DerivedState.FRESH


async def test_a_curve_that_is_derived_from_a_derived_one_follows_it(store: Store) -> None:
    await add_product(store, HUB)
    first = await derive(store, MINE, HUB)
    second = await derive(store, OWN, MINE)
    await load(store, [(0, 1, 0, 50.0)])
    assert (await current(store, second)).changes == ()
    begun = await begin(store, first)
    await store.loader.load(replace(quotes_file([(0, 1, 1, 51.0)], key=MINE), build=finished(begun)))
    assert (await current(store, first)).changes == ()
    assert [one.curve_id for one in (await current(store, second)).changes] == [first.curve_id]
    assert {one.payload["derived_id"] for one in await jobs(store)} == {first.derived_id, second.derived_id}


async def test_a_curve_is_not_derived_from_itself_through_others(store: Store) -> None:
    await add_product(store, HUB)
    await derive(store, MINE, HUB)
    await derive(store, OWN, MINE)
    hub = await store.curves.product(HUB, tenant=None)
    own = await store.curves.product(OWN, tenant=None)
    cycle = NewDerivedCurve("cycle", HUB, None, hub.curve_id, {}, None, (DerivedInput(own.curve_id, OWN),), "key:abc")
    with pytest.raises(CurveCycle) as caught:
        async with store.transactions.transaction(by=BY) as tx:
            await tx.derived_curves.add(cycle)
    assert caught.value.facts["path"] == [HUB, OWN, MINE, HUB]
    itself = replace(cycle, inputs=(DerivedInput(hub.curve_id, HUB),))
    with pytest.raises(CurveCycle):
        async with store.transactions.transaction(by=BY) as tx:
            await tx.derived_curves.add(itself)


async def test_a_product_is_derived_once(store: Store) -> None:
    await add_product(store, HUB)
    curve = await derive(store, MINE, HUB)
    again = NewDerivedCurve("again", MINE, None, curve.curve_id, {}, None, curve.inputs, "key:abc")
    with pytest.raises(Conflict, match="is a derived curve already"):
        async with store.transactions.transaction(by=BY) as tx:
            await tx.derived_curves.add(again)


async def test_an_input_of_another_derived_curve_is_not_deleted(store: Store) -> None:
    await add_product(store, HUB)
    first = await derive(store, MINE, HUB)
    second = await derive(store, OWN, MINE)
    with pytest.raises(CurveInUse) as caught:
        async with store.transactions.transaction(by=BY) as tx:
            await tx.derived_curves.delete(first.derived_id, tenant=None)
    assert caught.value.facts["used_by"] == [OWN]
    for curve in (second, first):
        async with store.transactions.transaction(by=BY) as tx:
            assert (await tx.derived_curves.delete(curve.derived_id, tenant=None)).key == curve.key
    with pytest.raises(UnknownDerivedCurve):
        await current(store, first)
    await load(store, [(0, 1, 0, 50.0)])
    assert await jobs(store) == []


async def test_the_product_of_a_derived_curve_and_its_inputs_are_not_deleted(store: Store) -> None:
    await add_tenants(store)
    await add_product(store, HUB)
    await add_product(store, OWN, tenant="acme")
    await derive(store, MINE, HUB, OWN, tenant="acme")
    for key, tenant in ((HUB, None), (OWN, "acme"), (MINE, "acme")):
        with pytest.raises(Conflict, match=f"is derived or an input of {MINE}"):
            async with store.transactions.transaction(by=BY) as tx:
                await tx.curve_reference.delete_product(key, tenant=tenant)


async def test_a_failed_build_says_why_until_the_next_one_ends(store: Store) -> None:
    await add_product(store, HUB)
    curve = await derive(store, MINE, HUB)
    begun = await begin(store, curve)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.derived_curves.fail(curve.derived_id, begun.builds, "no rate")
    failed = await current(store, curve)
    assert (failed.state, failed.error) == (DerivedState.FAILED, "no rate")
    again = await begin(store, curve)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.derived_curves.fail(curve.derived_id, begun.builds, "too late")
        await tx.derived_curves.finish(finished(again), known_at=None)
    assert (await current(store, curve)).state is DerivedState.FRESH


async def test_changed_rates_make_curves_stale_that_convert_with_them(store: Store) -> None:
    await add_tenants(store)
    await add_product(store, OWN, tenant="acme")
    await store.loader.load(quotes_file([(number, 0, 1, 40.0) for number in range(3)], key=OWN, tenant="acme"))
    convert = {"op": "convert", "curve": {"op": "shift", "curve": OWN, "by": 1.0}, "currency": "USD"}
    converted = await derive(store, MINE, OWN, tenant="acme", first=trade_day(1), expression=convert)
    shifted = await derive(store, "power:XX:base:SHIFTED", OWN, tenant="acme")
    days = [trade_day(0), trade_day(1), trade_day(2), trade_day(3)]  # the input has no quotes on the last one
    async with store.transactions.transaction(by=BY) as tx:
        assert await tx.derived_curves.rates_changed({"CAD": days}) == []
        (stale,) = await tx.derived_curves.rates_changed({"CAD": [trade_day(5)], "USD": days})
        assert await tx.derived_curves.rates_changed({"USD": [*days[:1], *days[3:]]}) == []
        assert await tx.derived_curves.converting("CAD") == []
        assert await tx.derived_curves.converting("USD") == [stale]
    assert stale == await current(store, converted)
    assert [(one.curve_id, one.trade_dates) for one in stale.changes] == [(RATES_ID, (trade_day(1), trade_day(2)))]
    assert (await current(store, shifted)).changes == ()


async def test_changed_terms_make_curves_stale_on_all_trade_dates(store: Store) -> None:
    await add_tenants(store)
    await add_product(store, HUB)
    for tenant in ("acme", "bolt"):
        await add_product(store, OWN, tenant=tenant)
    hub, marks = [await store.curves.product(key, tenant="acme") for key in (HUB, OWN)]
    acme = await derive(store, MINE, OWN, HUB, tenant="acme", name="of acme", first=trade_day(3))
    bolt = await derive(store, MINE, OWN, tenant="bolt", name="of bolt")

    async def changed(member: str, value: str, tenant: str | None = None) -> list[tuple[str, list[int]]]:
        async with store.transactions.transaction(by=BY) as tx:
            stale = await tx.derived_curves.terms_changed(member, value, tenant=tenant)
            for one in stale:
                begun = await tx.derived_curves.begin(one.derived_id)
                await tx.derived_curves.finish(finished(begun), known_at=None)
        assert all(change.trade_dates == () for one in stale for change in one.changes)
        return [(one.derived_id, [change.curve_id for change in one.changes]) for one in stale]

    assert await changed("key", HUB) == [("of acme", [hub.curve_id])]
    assert await changed("key", OWN, "acme") == [("of acme", [marks.curve_id])]
    assert [name for name, _ in await changed("key", OWN)] == ["of acme", "of bolt"]
    assert await changed("key", MINE, "bolt") == [("of bolt", [bolt.curve_id])]
    assert await changed("calendar", "eu_power", "acme") == [("of acme", [marks.curve_id, acme.curve_id])]
    assert await changed("sessions", "NONE") == []


async def test_the_end_of_a_build_names_those_that_waited_for_it(store: Store) -> None:
    await add_product(store, HUB)
    first = await derive(store, MINE, HUB)
    second = await derive(store, OWN, MINE)
    third = await derive(store, GAS, OWN, HUB)
    assert (await current(store, third)).waits_for == (MINE, OWN)
    assert list(await store.derived_curves.to_build(limit=1)) == [await current(store, third)]
    begun = await begin(store, first)
    async with store.transactions.transaction(by=BY) as tx:
        waiting = await tx.derived_curves.finish(finished(begun), known_at=None)
    assert [(one.key, one.waits_for) for one in waiting] == [(GAS, (OWN,)), (OWN, ())]
    begun = await begin(store, second)
    async with store.transactions.transaction(by=BY) as tx:
        assert [one.key for one in await tx.derived_curves.finish(finished(begun), known_at=None)] == [GAS]
    begun = await begin(store, third)
    async with store.transactions.transaction(by=BY) as tx:
        assert await tx.derived_curves.finish(finished(begun), known_at=None) == []
    await load(store, [(0, 1, 0, 50.0)])
    stale = [await current(store, one) for one in (first, second, third)]
    assert [(one.state, one.needs_build, one.waits_for) for one in stale] == [
        (DerivedState.STALE, True, ()),
        (DerivedState.STALE, False, (MINE,)),
        (DerivedState.STALE, True, (MINE,)),
    ]


async def test_a_curve_that_is_added_while_terms_change_waits_for_them(store: Store) -> None:
    if not isinstance(store, PostgresStore):
        pytest.skip("transactions in memory run one after the other")
    await add_product(store, HUB)
    for member, value in (("key", HUB), ("sessions", "XEEE")):
        async with store.transactions.transaction(by=BY) as tx:
            assert await tx.derived_curves.terms_changed(member, value, tenant=None) == []
            adding = asyncio.create_task(derive(store, f"power:XX:base:{member.upper()}", HUB))
            await wait_until(partial(_is_waiting, store), "the addition waits for the terms")
        await adding


async def test_curves_of_all_owners_that_are_not_fresh_are_listed_by_page(store: Store) -> None:
    await add_tenants(store)
    await add_product(store, HUB)
    shared = await derive(store, MINE, HUB, name="b")
    own = await derive(store, OWN, HUB, tenant="acme", name="a")
    reader = store.derived_curves
    assert list(await reader.to_build(limit=10)) == [own, shared]
    assert list(await reader.to_build(limit=1)) == [own]
    assert list(await reader.to_build(after="a", limit=10)) == [shared]
    for curve in (shared, own):
        begun = await begin(store, curve)
        async with store.transactions.transaction(by=BY) as tx:
            await tx.derived_curves.finish(finished(begun), known_at=None)
    assert list(await reader.to_build(limit=10)) == []
    await load(store, [(0, 1, 0, 50.0)])
    assert [one.state for one in await reader.to_build(limit=10)] == [DerivedState.STALE] * 2


async def test_a_load_of_a_tenant_changes_its_own_curves_alone(store: Store) -> None:
    await add_tenants(store)
    await add_product(store, HUB)
    for tenant in ("acme", "bolt"):
        await add_product(store, "power:XX:base:BROKER", tenant=tenant)
    acme = await derive(store, MINE, "power:XX:base:BROKER", HUB, tenant="acme", name="of acme")
    bolt = await derive(store, MINE, "power:XX:base:BROKER", HUB, tenant="bolt", name="of bolt")
    await load(store, [(0, 1, 0, 50.0)], key="power:XX:base:BROKER", tenant="acme")
    assert len((await current(store, acme)).changes) == 1
    assert (await current(store, bolt)).changes == ()
    (job,) = await jobs(store)
    assert (job.tenant, job.payload["derived_id"]) == ("acme", "of acme")
    await load(store, [(0, 1, 0, 50.0)])
    assert [len((await current(store, one)).changes) for one in (acme, bolt)] == [2, 1]
    assert {one.tenant for one in await jobs(store)} == {"acme", "bolt"}
    begun = await begin(store, acme)
    file = quotes_file([(0, 1, 0, 51.0)], key=MINE, tenant="acme")
    await store.loader.load(replace(file, build=finished(begun)))
    assert (await current(store, acme)).state is DerivedState.FRESH


async def test_a_tenant_reads_its_own_curves_and_shared_ones(store: Store) -> None:
    await add_tenants(store)
    await add_product(store, HUB)
    shared = await derive(store, "power:XX:base:SHARED", HUB)
    acme = await derive(store, MINE, HUB, tenant="acme", name="of acme")
    bolt = await derive(store, OWN, HUB, tenant="bolt", name="of bolt")
    reader = store.derived_curves
    assert [one.key for one in await reader.page(tenant="acme", limit=10)] == [MINE, shared.key]
    assert [one.key for one in await reader.page(tenant="bolt", limit=10)] == [OWN, shared.key]
    assert [one.key for one in await reader.page(tenant="bolt", after=OWN, limit=10)] == [shared.key]
    assert [one.key for one in await reader.page(tenant=None, limit=10)] == [shared.key]
    assert (await reader.curve(shared.derived_id, tenant="acme")).inputs == shared.inputs
    for tenant, other in (("acme", bolt), ("bolt", acme), (None, acme)):
        with pytest.raises(UnknownDerivedCurve):
            await reader.curve(other.derived_id, tenant=tenant)
    with pytest.raises(UnknownDerivedCurve):
        async with store.transactions.transaction(by=BY) as tx:
            await tx.derived_curves.delete(acme.derived_id, tenant="bolt")


async def test_a_load_under_way_is_not_missed_by_a_build_that_begins(store: Store) -> None:
    if not isinstance(store, PostgresStore):
        pytest.skip("transactions in memory run one after the other")
    await add_product(store, HUB)
    curve = await derive(store, MINE, HUB)
    async with store.transactions.transaction(by=BY) as tx:
        hub = await store.curves.product(HUB, tenant=None)
        changed = pl.DataFrame({"curve_id": [hub.curve_id], "trade_date": [trade_day(0)]}, schema=CHANGED_DATES)
        (stale,) = await tx.derived_curves.inputs_changed(changed)
        await tx.jobs.submit([rebuild_job(stale)])
        beginning = asyncio.create_task(begin(store, curve))
        await wait_until(partial(_is_waiting, store), "the build waits for the load that records a change")
    assert len((await beginning).changes) == 1


async def test_a_deletion_waits_for_a_build_that_stores_its_quotes(store: Store) -> None:
    if not isinstance(store, PostgresStore):
        pytest.skip("transactions in memory run one after the other")
    await add_product(store, HUB)
    curve = await derive(store, MINE, HUB)
    begun = await begin(store, curve)
    product = await store.curves.product(MINE, tenant=None)

    async def delete() -> None:
        async with store.transactions.transaction(by=BY) as tx:
            await tx.derived_curves.delete(curve.derived_id, tenant=None)
            await tx.curve_reference.put_product(product.product, tenant=None, version=product.version)

    async with store.transactions.transaction(by=BY) as tx:
        await tx.curves.lock(pl.DataFrame({"key": [MINE]}, schema=FILE_CURVES), tenant=None)
        deleting = asyncio.create_task(delete())
        await wait_until(partial(_is_waiting, store), "the deletion waits for the product")
        await tx.derived_curves.finish(finished(begun), known_at=None)
    await deleting
    with pytest.raises(UnknownDerivedCurve):
        await current(store, curve)


async def _is_waiting(store: PostgresStore) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with store.pool.acquire() as connection:
        return await connection.fetchval(waiting) > 0
