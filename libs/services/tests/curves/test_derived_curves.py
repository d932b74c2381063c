"""Derived curves from the first build to a correction: computed once, stale at once, rebuilt under a new known time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from curve_quotes import BASE, BY, PEAK, curve_reading, product_of, reading_of_tenant, session_file

from aurum.common.clock import SystemClock
from aurum.core.currency import rate_key
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.products import Product, Weighting
from aurum.core.errors import Conflict, Invalid, InvalidParameters
from aurum.core.jobs.states import JobState
from aurum.services.curves import CurveReading
from aurum.services.curves.derived import (
    NewDerived,
    Refreshed,
    add_derived,
    ask_rebuild,
    build_derived,
    refresh_derived,
    remove_derived,
    stale_inputs,
)
from aurum.services.curves.derived import changes as derived_changes
from aurum.services.jobs.definitions import default_definitions
from aurum.storage.ports.curves import ProductFilter, QuoteSpan
from aurum.storage.ports.derived_curves import (
    REBUILD,
    BuildOvertaken,
    CurveCycle,
    CurveInUse,
    DerivedCurve,
    DerivedInput,
    DerivedState,
    NewDerivedCurve,
    NotDerived,
    UnknownDerivedCurve,
    rebuild_job,
)
from aurum.storage.ports.files import FileLoad
from aurum.storage.ports.jobs import Job, JobFilter
from aurum.storage.testing.builders import T0, file_load
from aurum.storage.testing.stores import Store

OWN, NEAR, BRITISH = "power:XX:base:DERIVED", "power:XX:base:NEAR", "power:XX:base:BRITISH"
DAY, NEXT = date(2024, 10, 14), date(2024, 10, 15)
QUOTES = [("2024-11", 90.0), ("2024-12", 92.5), ("Q1-25", 98.0)]
KNOWN = datetime(2024, 10, 14, 16, 30, tzinfo=UTC)
SHIFT = {"op": "shift", "curve": BASE, "by": 1.5}
PEAK_LESS_BASE = {"op": "combine", "a": PEAK, "b": BASE}


def now() -> datetime:
    return SystemClock().now()


async def derive(
    store: Store, reading: CurveReading, expression: object, *, key: str = OWN, tenant: str | None = None, **more: Any
) -> DerivedCurve:
    new = NewDerived(key, expression, **more)
    return await add_derived(
        store.transactions, store.derived_curves, reading, store.loader, new, tenant=tenant, by=BY, now=now()
    )


async def rebuild(
    store: Store, reading: CurveReading, curve: DerivedCurve, *, whole: bool = False, first: bool = False
) -> DerivedCurve:
    return await build_derived(
        store.transactions,
        store.derived_curves,
        reading,
        store.loader,
        curve.derived_id,
        tenant=curve.tenant,
        by=BY,
        whole=whole,
        first=first,
    )


async def current(store: Store, curve: DerivedCurve) -> DerivedCurve:
    return await store.derived_curves.curve(curve.derived_id, tenant=curve.tenant)


async def settles(store: Store, curve: DerivedCurve, **known: Any) -> list[float | None]:
    return (await store.curves.quotes([curve.curve_id], QuoteSpan(), **known))["settle"].to_list()


async def jobs(store: Store) -> Sequence[Job]:
    return await store.jobs.page(JobFilter(name=REBUILD), limit=100)


def session(day: date, quotes: Sequence[tuple[str, float | None]], key: str = BASE, hours: int = 0) -> FileLoad:
    return session_file(key, day, quotes, known_at=KNOWN + timedelta(hours=hours))


async def test_a_new_curve_is_built_at_once_and_is_an_ordinary_product(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    curve = await derive(store, reading, SHIFT, title="Base and a half")
    assert curve.state is DerivedState.FRESH
    assert await settles(store, curve) == [91.5, 94.0, 99.5]
    product = await store.curves.product(OWN, tenant=None)
    assert (product.product.title, product.product.unit, product.product.seasons) == ("Base and a half", "EUR/MWh", "europe")
    quotes = await store.curves.quotes([curve.curve_id], QuoteSpan())
    assert quotes["known_at"].unique().to_list() == [curve.built_at]
    assert curve.report is not None
    assert {name: curve.report[name] for name in ("whole", "trade_dates", "quotes", "priced", "new", "revised")} == {
        "whole": True,
        "trade_dates": 1,
        "quotes": 3,
        "priced": 3,
        "new": 3,
        "revised": 0,
    }
    assert curve.inputs[0].version == (await store.curves.product(BASE, tenant=None)).version


@pytest.mark.parametrize(
    ("block", "curve", "expected"),
    [
        ("peak", BASE, "PEAK"),
        ("off_peak", BASE, "OFF_PEAK"),
        ("base", PEAK, None),
        ("dear", PEAK, "PEAK"),
        ("dear", BASE, None),
    ],
)
async def test_it_delivers_in_the_block_of_its_key_else_in_that_of_its_first_input(
    store: Store, block: str, curve: str, expected: str | None
) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES, key=curve))
    key = f"power:XX:{block}:DERIVED"
    added = await derive(store, reading, SHIFT | {"curve": curve}, key=key)
    assert (await store.curves.product(key, tenant=None)).product.block == expected
    assert (await rebuild(store, reading, added, whole=True)).error == ""


async def test_a_correction_makes_it_stale_and_a_build_keeps_the_old_numbers_readable(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES), session(NEXT, QUOTES))
    curve = await derive(store, reading, SHIFT)
    built_at = curve.built_at
    assert built_at is not None
    loaded_at = await store.loaded.latest()
    await store.loader.load(session(DAY, [("2024-11", 80.0)], hours=5))
    stale = await current(store, curve)
    assert stale.state is DerivedState.STALE
    (cause,) = stale_inputs(stale)
    assert (cause.key, cause.trade_dates, cause.first, cause.last) == (BASE, 1, DAY, DAY)
    assert (await settles(store, curve))[0] == 91.5, "until the build it has the old numbers, and says that it is stale"
    fresh = await rebuild(store, reading, curve)
    assert (fresh.state, fresh.builds) == (DerivedState.FRESH, curve.builds + 1)
    assert fresh.report is not None
    assert {name: fresh.report[name] for name in ("whole", "trade_dates", "quotes", "revised", "new", "unchanged")} == {
        "whole": False,
        "trade_dates": 1,
        "quotes": 3,
        "revised": 1,
        "new": 0,
        "unchanged": 2,
    }
    assert (await settles(store, curve))[0] == 81.5
    assert (await settles(store, curve, as_of=built_at))[0] == 91.5
    assert (await settles(store, curve, as_loaded=loaded_at))[0] == 91.5
    assert fresh.built_at is not None
    assert fresh.built_at > built_at
    versions = await store.curves.versions([curve.curve_id], QuoteSpan())
    assert versions.height == 7, "only the quote that changed is stored again"


async def test_a_build_of_a_fresh_curve_does_nothing_and_a_whole_one_stores_nothing(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    curve = await derive(store, reading, SHIFT)
    version = (await store.curves.product(OWN, tenant=None)).version
    assert await rebuild(store, reading, curve) == curve
    again = await rebuild(store, reading, curve, whole=True)
    assert again.report is not None
    assert (again.report["unchanged"], again.report["new"], again.report["revised"]) == (3, 0, 0)
    assert (await store.curves.product(OWN, tenant=None)).version == version


async def test_a_new_trade_date_of_one_input_is_built_where_the_first_one_has_quotes(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES), session(DAY, QUOTES, PEAK))
    curve = await derive(store, reading, PEAK_LESS_BASE)
    assert await settles(store, curve) == [0.0, 0.0, 0.0]
    await store.loader.load(session(NEXT, QUOTES, BASE))
    waiting = await rebuild(store, reading, curve)
    assert (waiting.state, len(await settles(store, curve))) == (DerivedState.FRESH, 3)
    await store.loader.load(session(NEXT, [("2024-11", 110.0), ("2026-01", 70.0)], PEAK))
    built = await rebuild(store, reading, curve)
    assert (await settles(store, curve))[3:] == [20.0]
    assert built.report is not None
    assert built.report["unpriced"] == {f"{BASE} has no quote of the period, and finer ones do not tile it": 1}


async def test_a_basis_of_few_quotes_stores_no_quotes_without_a_price(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES), session(DAY, [("2024-12", 1.5)], NEAR))
    curve = await derive(store, reading, {"op": "basis", "hub": BASE, "basis": NEAR})
    assert await settles(store, curve) == [94.0]
    assert curve.report is not None
    assert {name: curve.report[name] for name in ("quotes", "priced", "new", "unchanged", "left_out")} == {
        "quotes": 3,
        "priced": 1,
        "new": 1,
        "unchanged": 0,
        "left_out": 2,
    }
    # What had a price is stored without it, or the old price would stand.
    await store.loader.load(session(DAY, [("2024-12", None)], NEAR, hours=1))
    assert (await rebuild(store, reading, curve)).state is DerivedState.FRESH
    assert await settles(store, curve) == [None]


async def test_a_period_that_the_input_lists_without_a_price_is_listed(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, [("2024-11", 90.0), ("2024-12", None)]))
    curve = await derive(store, reading, SHIFT)
    assert await settles(store, curve) == [91.5, None]


async def test_a_basis_is_compared_in_ticks_of_its_own_unit_under_a_conversion(store: Store) -> None:
    zero = "power:XX:base:ZERO"
    reading = await curve_reading(store, session(DAY, [("2024-11", 90.0), ("2024-12", 92.5)]))
    await derive(store, reading, {"op": "scale", "curve": BASE, "by": 0.0}, key=zero)
    await derive(store, reading, {"op": "shift", "curve": BASE, "by": 5.0}, key="power:XX:base:FAR")
    basis = {"op": "basis", "hub": BASE, "basis": zero, "outright": "power:XX:base:FAR"}
    kilo = await derive(store, reading, {"op": "convert", "curve": basis, "unit": "EUR/kWh"}, tick=10.0)
    cents = await derive(store, reading, {"op": "convert", "curve": basis, "unit": "EURc/kWh"}, key="power:XX:base:CENTS")
    for curve in (kilo, cents):
        assert curve.report is not None
        assert curve.report["basis"] == {"equal": 0, "rounding": 0, "contradiction": 2}


async def test_a_quote_that_is_not_derived_any_more_is_listed_without_a_price(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES), session(DAY, QUOTES, PEAK))
    curve = await derive(store, reading, PEAK_LESS_BASE)
    await store.loader.load(session(DAY, [("2024-11", None)], BASE, hours=1))
    await rebuild(store, reading, curve)
    assert await settles(store, curve) == [None, 0.0, 0.0]


async def test_a_curve_whose_job_was_cancelled_is_built_by_the_schedule(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    curve = await derive(store, reading, SHIFT)
    before = {one.job_id for one in await jobs(store)}
    assert await refresh(store) == Refreshed(0, 0, 0)
    await store.loader.load(session(DAY, [("2024-11", 80.0)], hours=1))
    assert await refresh(store) == Refreshed(0, 1, 0), "its job waits"
    (job,) = [one for one in await jobs(store) if one.job_id not in before]
    async with store.transactions.transaction(by=BY) as tx:
        await tx.jobs.cancel(job.job_id)
        (other,) = before
        await tx.jobs.cancel(other)
    assert await refresh(store) == Refreshed(0, 0, 1), "a person has cancelled it just now"
    assert await refresh(store, timedelta(hours=1)) == Refreshed(1, 0, 0)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.jobs.cancel(job.job_id)
    await store.loader.load(session(DAY, [("2024-11", 81.0)], hours=2))
    assert (await store.jobs.job(job.job_id)).state is JobState.CANCELLED, "the load has the key of the cancelled job"
    assert await refresh(store) == Refreshed(1, 0, 0), "an input changed since"
    assert (await store.jobs.job(job.job_id)).state is JobState.QUEUED
    assert await refresh(store) == Refreshed(0, 1, 0)
    await rebuild(store, reading, curve)
    assert await refresh(store) == Refreshed(0, 0, 0)


async def test_a_failed_build_is_tried_again_after_an_hour(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    curve = await derive(store, reading, SHIFT)
    for one in await jobs(store):
        async with store.transactions.transaction(by=BY) as tx:
            await tx.jobs.cancel(one.job_id)
    async with store.transactions.transaction(by=BY) as tx:
        begun = await tx.derived_curves.begin(curve.derived_id)
        await tx.derived_curves.fail(curve.derived_id, begun.builds, "no rate")
    assert await refresh(store, timedelta(minutes=50)) == Refreshed(0, 0, 1)
    assert await refresh(store, timedelta(minutes=70)) == Refreshed(1, 0, 0)
    assert await refresh(store, timedelta(minutes=80)) == Refreshed(0, 1, 0)


async def refresh(store: Store, later: timedelta = timedelta()) -> Refreshed:
    return await refresh_derived(store.transactions, store.derived_curves, store.jobs, by=BY, now=now() + later)


async def test_many_loads_submit_one_job_and_a_chain_follows(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    first = await derive(store, reading, SHIFT)
    second = await derive(store, reading, {"op": "scale", "curve": OWN, "by": 2}, key="power:XX:base:TWICE")
    before = {one.job_id for one in await jobs(store)}
    for hour in range(1, 4):
        await store.loader.load(session(DAY, [("2024-11", 80.0 + hour)], hours=hour))
    (job,) = [one for one in await jobs(store) if one.job_id not in before]
    assert (job.payload["derived_id"], job.state) == (first.derived_id, JobState.QUEUED)
    assert (await current(store, second)).waits_for == (OWN,)
    await rebuild(store, reading, first)
    assert [one.key for one in stale_inputs(await current(store, second))] == [OWN]
    await rebuild(store, reading, second)
    assert (await settles(store, second))[0] == 169.0


async def test_the_job_of_the_store_is_the_one_that_is_defined(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    curve = await derive(store, reading, SHIFT)
    definition = default_definitions()[REBUILD]
    job = rebuild_job(curve)
    payload = definition.read(job.payload)
    assert (job.queue, job.priority, job.exclusive) == (definition.queue, definition.priority, definition.exclusive(payload))


async def test_the_job_of_a_new_curve_builds_it_only_if_nothing_has(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    curve = await derive(store, reading, SHIFT)
    (job,) = await jobs(store)
    assert default_definitions()[REBUILD].read(job.payload).model_dump()["first"] is True
    await store.loader.load(session(DAY, [("2024-11", 80.0)], hours=1))
    assert (await rebuild(store, reading, curve, first=True)).builds == curve.builds, "the load has its own job"
    with pytest.raises(InvalidParameters):
        await derive(store, reading, {"op": "scale", "curve": BASE, "by": 1e8}, key="power:XX:base:ABSURD")
    (waiting, *_) = [one for one in await jobs(store) if one.payload["derived_id"] != curve.derived_id]
    with pytest.raises(UnknownDerivedCurve):  # which ends the job quietly
        await rebuild(store, reading, replace(curve, derived_id=str(waiting.payload["derived_id"])), first=True)


async def test_a_build_whose_curve_is_deleted_meanwhile_ends_without_a_failure(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    curve = await derive(store, reading, SHIFT)
    await store.loader.load(session(DAY, [("2024-11", 80.0)], hours=5))

    class Deleted:
        async def load(self, file: FileLoad, *, force: bool = False) -> Any:
            async with store.transactions.transaction(by=BY) as tx:
                await tx.derived_curves.delete(curve.derived_id, tenant=None)
            raise Conflict("the product is gone")

    with pytest.raises(UnknownDerivedCurve):
        await build_derived(
            store.transactions,
            store.derived_curves,
            reading,
            Deleted(),  # type: ignore[arg-type]
            curve.derived_id,
            tenant=None,
            by=BY,
        )


async def test_a_build_of_many_quotes_is_left_to_its_job(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derived_changes, "SMALL", 2)
    reading = await curve_reading(store, session(DAY, QUOTES))
    curve = await derive(store, reading, SHIFT)
    assert curve.state is DerivedState.BUILDING
    (job,) = await jobs(store)
    assert job.run_after <= now()
    assert (await rebuild(store, reading, curve)).state is DerivedState.FRESH


async def test_a_rate_that_a_build_of_many_quotes_lacks_is_named_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derived_changes, "SMALL", 2)
    late = date(2024, 12, 2)
    reading = await curve_reading(store, session(DAY, QUOTES), session(late, QUOTES))
    await store.loader.load(_euro_in_dollars(DAY, 1.1))
    convert = {"op": "convert", "curve": {**SHIFT, "by": 2}, "currency": "USD"}
    with pytest.raises(InvalidParameters, match=f"{BASE} on {late} has no exchange rate: no rate EUR to") as caught:
        await derive(store, reading, convert)
    assert caught.value.facts["errors"][0]["field"] == "expression"  # type: ignore[index]
    assert (await store.derived_curves.page(tenant=None, limit=10), await jobs(store)) == ([], [])
    assert await store.curves.products(ProductFilter(keys=(OWN,)), tenant=None) == []
    # A trade date of the other operand alone is not computed.
    await store.loader.load(session(DAY, QUOTES, PEAK))
    from_peak = {"op": "combine", "a": PEAK, "b": {"op": "shift", "curve": BASE, "by": 1}}
    assert (await derive(store, reading, {**convert, "curve": from_peak})).state is DerivedState.BUILDING


async def test_a_build_that_a_later_one_overtook_stores_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    curve = await derive(store, reading, SHIFT)
    await store.loader.load(session(DAY, [("2024-11", 80.0)], hours=5))

    class Overtaken:
        async def load(self, file: FileLoad, *, force: bool = False) -> Any:
            async with store.transactions.transaction(by=BY) as tx:
                await tx.derived_curves.begin(curve.derived_id)
            return await store.loader.load(file, force=force)

    with pytest.raises(BuildOvertaken):
        await build_derived(
            store.transactions,
            store.derived_curves,
            reading,
            Overtaken(),  # type: ignore[arg-type]
            curve.derived_id,
            tenant=None,
            by=BY,
        )
    assert (await current(store, curve)).state is DerivedState.STALE
    assert (await settles(store, curve))[0] == 91.5


async def test_requests_to_build_anew_share_one_job_and_leave_the_build_under_way_alone(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    curve = await derive(store, reading, SHIFT)

    async def ask() -> str:
        return await ask_rebuild(store.transactions, store.derived_curves, curve.derived_id, tenant=None, by=BY)

    (job_id,) = {await ask() for _ in range(5)}
    assert await current(store, curve) == curve, "no build has begun"
    async with store.transactions.transaction(by=BY) as tx:
        await tx.jobs.cancel(job_id)
    assert await ask() == job_id
    job = await store.jobs.job(job_id)
    assert (job.state, job.payload["whole"]) == (JobState.QUEUED, True)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.derived_curves.begin(curve.derived_id)
    assert await ask() != job_id, "the build that has begun may be of another kind"


async def test_after_a_failed_build_the_next_one_computes_all_trade_dates(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    curve = await derive(store, reading, SHIFT)
    async with store.transactions.transaction(by=BY) as tx:
        begun = await tx.derived_curves.begin(curve.derived_id)
        await tx.derived_curves.fail(curve.derived_id, begun.builds, "a whole build failed")
    await store.loader.load(session(NEXT, QUOTES))
    built = await rebuild(store, reading, curve)
    assert built.report is not None
    assert (built.state, built.report["whole"], built.report["trade_dates"]) == (DerivedState.FRESH, True, 2)


async def test_a_build_that_dies_before_it_stores_leaves_the_curve_stale(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    curve = await derive(store, reading, SHIFT)
    await store.loader.load(session(DAY, [("2024-11", 80.0)], hours=5))

    class Killed(BaseException): ...

    class Dying:
        async def load(self, file: FileLoad, *, force: bool = False) -> Any:
            raise Killed

    with pytest.raises(Killed):
        await build_derived(
            store.transactions,
            store.derived_curves,
            reading,
            Dying(),  # type: ignore[arg-type]
            curve.derived_id,
            tenant=None,
            by=BY,
        )
    assert (await current(store, curve)).state is DerivedState.STALE
    assert (await rebuild(store, reading, curve)).state is DerivedState.FRESH
    assert (await settles(store, curve))[0] == 81.5


async def test_a_build_without_an_exchange_rate_fails_and_names_input_and_trade_date(store: Store) -> None:
    late = date(2024, 12, 2)
    reading = await curve_reading(store, session(DAY, QUOTES), session(late, QUOTES))
    convert = {"op": "convert", "curve": BASE, "currency": "USD"}
    with pytest.raises(InvalidParameters, match=f"{BASE} on {DAY} has no exchange rate: the store has no rate") as caught:
        await derive(store, reading, convert)
    assert caught.value.facts["errors"][0]["field"] == "expression"  # type: ignore[index]
    assert await store.derived_curves.page(tenant=None, limit=10) == []
    assert await store.curves.products(ProductFilter(keys=(OWN,)), tenant=None) == []
    await store.loader.load(_euro_in_dollars(DAY, 1.1))
    with pytest.raises(InvalidParameters, match=f"{BASE} on {late} has no exchange rate: no rate EUR to USD for {late}"):
        await derive(store, reading, convert)
    await store.loader.load(_euro_in_dollars(late, 1.2))
    built = await derive(store, reading, convert)
    assert (built.state, built.error) == (DerivedState.FRESH, "")
    assert await settles(store, built) == pytest.approx([99.0, 101.75, 107.8, 108.0, 111.0, 117.6])
    assert (await store.curves.product(OWN, tenant=None)).product.currency == "USD"


async def test_an_exchange_rate_that_arrives_or_is_corrected_makes_stale_what_was_converted_without_it(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES), session(NEXT, QUOTES))
    await store.loader.load(_euro_in_dollars(DAY, 1.1))
    convert = {"op": "convert", "curve": BASE, "currency": "USD"}
    with pytest.raises(InvalidParameters, match=f"{BASE} on {NEXT} has no exchange rate: .*: it is not published yet"):
        await derive(store, reading, convert)  # and not at the rate of the day before
    await store.loader.load(_euro_in_dollars(NEXT, 1.1))
    curve = await derive(store, reading, convert)
    unit_alone = await derive(store, reading, {"op": "convert", "curve": BASE, "unit": "EUR/kWh"}, key="power:XX:base:KILO")
    assert await settles(store, curve) == pytest.approx([99.0, 101.75, 107.8] * 2)
    before = {one.job_id for one in await jobs(store)}
    await store.loader.load(_euro_in_dollars(NEXT, 1.2))
    stale = await current(store, curve)
    assert stale.state is DerivedState.STALE
    (cause,) = stale_inputs(stale)
    assert (cause.key, cause.first, cause.last >= NEXT) == ("ecb:reference_rates", NEXT, True)
    (job,) = [one for one in await jobs(store) if one.job_id not in before]
    assert job.payload["derived_id"] == curve.derived_id
    assert (await current(store, unit_alone)).state is DerivedState.FRESH
    fresh = await rebuild(store, reading, curve)
    assert (fresh.state, fresh.report and fresh.report["revised"]) == (DerivedState.FRESH, 3)
    assert await settles(store, curve) == pytest.approx([99.0, 101.75, 107.8, 108.0, 111.0, 117.6])
    await store.loader.load(_euro_in_dollars(NEXT, 1.2))
    assert (await current(store, curve)).state is DerivedState.FRESH, "the rate is the stored one"


async def test_a_build_that_failed_of_a_missing_rate_is_asked_for_when_the_rate_arrives(store: Store) -> None:
    late = date(2024, 12, 2)
    reading = await curve_reading(store, session(DAY, QUOTES))
    await store.loader.load(_euro_in_dollars(DAY, 1.1))
    curve = await derive(store, reading, {"op": "convert", "curve": BASE, "currency": "USD"})
    await store.loader.load(session(late, QUOTES))
    with pytest.raises(Invalid, match="has no exchange rate"):
        await rebuild(store, reading, curve)
    assert (await current(store, curve)).state is DerivedState.FAILED
    before = {one.job_id for one in await jobs(store)}
    await store.loader.load(_euro_in_dollars(late, 1.2))
    (job,) = [one for one in await jobs(store) if one.job_id not in before]
    assert (job.payload["derived_id"], job.state) == (curve.derived_id, JobState.QUEUED)
    assert (await rebuild(store, reading, curve)).state is DerivedState.FRESH
    assert (await settles(store, curve))[3:] == pytest.approx([108.0, 111.0, 117.6])


def _euro_in_dollars(day: date, rate: float) -> FileLoad:
    hours = (datetime(day.year, day.month, day.day, tzinfo=UTC) - T0) / timedelta(hours=1)
    return file_load([(hours, 0, rate)], key=rate_key("USD"), unit="USD/EUR", currency="USD", zone="UTC", frequency="1d")


@pytest.mark.parametrize(
    ("expression", "field", "why"),
    [
        ({"op": "shift", "curve": "power:XX:bsae:INVENTED", "by": 1}, "expression.curve", "is not a shared curve; nearest"),
        ({"op": "shift", "curve": BASE, "by": "1"}, "expression.by", "must be a number"),
        (
            {"op": "basis", "hub": BASE, "basis": PEAK},
            "expression",
            "by another block than its hub .*: PEAK, and not all",
        ),
        (
            {"op": "basis", "hub": BASE, "basis": BRITISH},
            "expression",
            "by another calendar than its hub .*: gb_power, and",
        ),
        ({"op": "convert", "curve": BASE, "unit": "EUR/bbl"}, "expression.unit", "cannot convert"),
    ],
)
async def test_an_expression_that_cannot_be_is_refused(store: Store, expression: object, field: str, why: str) -> None:
    reading = await curve_reading(store)
    await add(store, replace(product_of(BRITISH), calendar="gb_power"))
    with pytest.raises(InvalidParameters, match=why) as caught:
        await derive(store, reading, expression)
    assert caught.value.facts["errors"][0]["field"] == field  # type: ignore[index]
    assert await store.derived_curves.page(tenant=None, limit=10) == []


async def test_prices_of_power_are_no_curve_of_rates(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    with pytest.raises(InvalidParameters, match="key: does not fit its inputs: unit: must be a number without a unit"):
        await derive(store, reading, SHIFT, key="rate:EUR:base:DERIVED")
    assert await store.derived_curves.page(tenant=None, limit=10) == []


async def test_a_product_with_quotes_of_others_is_left_as_it_is(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES), session(DAY, QUOTES, NEAR), session(NEXT, QUOTES, NEAR))
    with pytest.raises(NotDerived, match=f"{NEAR} has quotes on 2 trade dates that are not derived"):
        await derive(store, reading, SHIFT, key=NEAR)
    near = await store.curves.product(NEAR, tenant=None)
    assert (await store.curves.quotes([near.curve_id], QuoteSpan()))["settle"].to_list() == [90.0, 92.5, 98.0] * 2
    await store.loader.load(session(NEXT, [("2024-11", 91.0)], NEAR, hours=1))
    assert await store.derived_curves.page(tenant=None, limit=10) == []


async def test_strips_by_sessions_that_are_unknown_fail_a_build(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    await add(store, replace(product_of(NEAR), weighting=Weighting.SESSIONS))
    await store.loader.load(session(DAY, [("2025-01", 90.0), ("2025-02", 91.0), ("2025-03", 92.0)], NEAR))
    with pytest.raises(InvalidParameters, match=f"{NEAR}: it is weighted by sessions, and those of its venue are unknown"):
        await derive(store, reading, {"op": "combine", "a": BASE, "b": NEAR})
    shifted = await derive(store, reading, {"op": "shift", "curve": NEAR, "by": 1.0})
    assert await settles(store, shifted) == [91.0, 92.0, 93.0], "without a strip nothing is weighted"


async def test_a_tick_in_another_currency_is_converted_by_its_unit(store: Store) -> None:
    reading = await curve_reading(store)
    pence = replace(product_of("gas:XX:base:PENCE"), currency="GBP", unit="GBp/therm", tick=0.005)
    await add(store, pence)
    euros = {"op": "convert", "curve": "gas:XX:base:PENCE", "unit": "EUR/MWh"}
    await derive(store, reading, euros, key="gas:XX:base:EUROS")
    tick = (await store.curves.product("gas:XX:base:EUROS", tenant=None)).product.tick
    assert tick == pytest.approx(0.005 / 100 * 34.12141633), "0.0017, and not 0.005"


async def add(store: Store, product: Product) -> None:
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.put_product(product, tenant=None)


async def test_cycles_and_keys_with_other_terms_are_refused(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    await derive(store, reading, SHIFT)
    with pytest.raises(CurveCycle):
        await derive(store, reading, {"op": "shift", "curve": OWN, "by": 1}, key=BASE)
    with pytest.raises(Conflict, match="is a derived curve already"):
        await derive(store, reading, SHIFT)
    await add(store, replace(product_of(NEAR), block="PEAK"))
    with pytest.raises(Conflict, match="exists with block PEAK"):
        await derive(store, reading, SHIFT, key=NEAR)


async def test_a_deleted_curve_keeps_its_quotes_and_says_so(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    first = await derive(store, reading, SHIFT)
    second = await derive(store, reading, {"op": "scale", "curve": OWN, "by": 2}, key="power:XX:base:TWICE")
    arguments = (store.transactions, store.derived_curves, reading)
    with pytest.raises(CurveInUse, match="power:XX:base:TWICE"):
        await remove_derived(*arguments, first.derived_id, tenant=None, by=BY, now=now())
    for curve in (second, first):
        await remove_derived(*arguments, curve.derived_id, tenant=None, by=BY, now=now())
    assert await settles(store, first) == [91.5, 94.0, 99.5]
    assert "(derived until " in (await store.curves.product(OWN, tenant=None)).product.title
    await store.loader.load(session(DAY, [("2024-11", 80.0)], hours=5))
    with pytest.raises(UnknownDerivedCurve):
        await rebuild(store, reading, first)
    again = await derive(store, reading, {"op": "shift", "curve": BASE, "by": 2.0})
    assert (again.state, (await settles(store, again))[0]) == (DerivedState.FRESH, 82.0)


async def test_a_curve_of_a_tenant_reads_shared_inputs_and_its_own(store: Store) -> None:
    marks = "power:XX:base:MARKS"
    shared = await curve_reading(store, session(DAY, QUOTES), tenants={marks: "acme"})
    async with store.transactions.transaction(by=BY) as tx:
        await tx.tenants.insert("bolt", "Bolt", "basic")
    reading, other = (reading_of_tenant(store, shared, name) for name in ("acme", "bolt"))
    file = session(DAY, [("2024-11", 3.0), ("2024-12", 2.0)], marks)
    await store.loader.load(_of_tenant(file, "acme"))
    curve = await derive(store, reading, {"op": "basis", "hub": BASE, "basis": marks}, tenant="acme")
    assert curve.state is DerivedState.FRESH
    assert await settles(store, curve) == [93.0, 94.5]
    await store.loader.load(_of_tenant(session(DAY, [("2024-11", 4.0)], marks, hours=2), "acme"))
    assert [one.key for one in stale_inputs(await current(store, curve))] == [marks]
    await store.loader.load(session(DAY, [("2024-12", 80.0)], hours=2))
    assert [one.key for one in stale_inputs(await current(store, curve))] == [BASE, marks]
    assert {one.tenant for one in await jobs(store)} == {"acme"}
    await rebuild(store, reading, curve)
    assert await settles(store, curve) == [94.0, 82.0]
    with pytest.raises(UnknownDerivedCurve):
        await build_derived(
            store.transactions, store.derived_curves, other, store.loader, curve.derived_id, tenant="bolt", by=BY
        )
    with pytest.raises(InvalidParameters, match="is not a curve that you may read"):
        await derive(store, other, {"op": "shift", "curve": marks, "by": 1}, tenant="bolt")
    with pytest.raises(InvalidParameters, match="is not a shared curve"):
        await derive(store, reading, {"op": "shift", "curve": marks, "by": 1}, key="power:XX:base:ALL")
    assert await store.curves.products(ProductFilter(keys=(OWN,)), tenant="bolt") == []


async def test_a_derived_curve_counts_as_a_product_of_the_tenant(store: Store) -> None:
    marks = "power:XX:base:MARKS"
    shared = await curve_reading(store, session(DAY, QUOTES), tenants={marks: "acme"})
    reading = reading_of_tenant(store, shared, "acme")

    async def add(key: str, most: int) -> DerivedCurve:
        arguments = (store.transactions, store.derived_curves, reading, store.loader, NewDerived(key, SHIFT))
        return await add_derived(*arguments, tenant="acme", by=BY, now=now(), most=most)

    with pytest.raises(Conflict, match="has 1 products of its own, and may have 1"):
        await add(OWN, 1)
    assert await store.derived_curves.page(tenant="acme", limit=10) == []
    assert (await add(OWN, 2)).state is DerivedState.FRESH
    assert (await add(marks, 2)).state is DerivedState.FRESH, "this product exists"


def _of_tenant(file: FileLoad, tenant: str) -> FileLoad:
    return replace(file, parts=tuple(replace(part, tenant=tenant) for part in file.parts))  # type: ignore[call-arg]


async def test_a_first_build_waits_for_that_of_its_input(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    hub = await store.curves.product(BASE, tenant=None)
    inputs = (DerivedInput(hub.curve_id, BASE),)
    async with store.transactions.transaction(by=BY) as tx:
        near = await tx.curve_reference.put_product(replace(hub.product, key=CurveKey.parse(NEAR)), tenant=None)
        first = await tx.derived_curves.add(NewDerivedCurve("near", NEAR, None, near.curve_id, SHIFT, None, inputs, "test"))
    twice = await derive(store, reading, {"op": "scale", "curve": NEAR, "by": 2.0})
    assert (twice.state, twice.built_at, twice.waits_for) == (DerivedState.BUILDING, None, (NEAR,))
    assert (await rebuild(store, reading, first)).state is DerivedState.FRESH
    assert (await rebuild(store, reading, twice)).state is DerivedState.FRESH
    assert (await settles(store, twice))[0] == 183.0


async def test_an_absurd_price_fails_a_later_build_and_refuses_a_first_one(store: Store) -> None:
    reading = await curve_reading(store, session(DAY, QUOTES))
    with pytest.raises(InvalidParameters, match="is absurd"):
        await derive(store, reading, {"op": "scale", "curve": BASE, "by": 1e8})
    curve = await derive(store, reading, {"op": "scale", "curve": BASE, "by": 1e4})
    await store.loader.load(session(date(2024, 12, 2), [(*one[:-1], 9e5) for one in QUOTES]))
    with pytest.raises(Invalid, match="is absurd"):
        await rebuild(store, reading, curve)
    failed = await current(store, curve)
    assert (failed.state, "is absurd" in failed.error) == (DerivedState.FAILED, True)
