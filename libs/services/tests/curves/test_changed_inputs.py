"""Every way in which an input of a derived curve can change: stale in the transaction of the change, rebuilt, other numbers.

A new way to change what prices are made of gets a line in ``WAYS``. Terms that a release brings are in
``test_declared_products.py``, replays of files in ``test_mapped_labels.py``, both of the pipelines.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from curve_quotes import BASE, BY, PEAK, curve_reading, product_of, reading_of_tenant, session_file

from aurum.common.clock import SystemClock
from aurum.core.catalog import Quality
from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.currency import rate_key
from aurum.core.curves.calendars import default_delivery_calendars, hours
from aurum.core.curves.seasons import default_season_families
from aurum.core.curves.sessions import default_session_calendars
from aurum.core.errors import AurumError, Conflict, Invalid
from aurum.core.restatement import MOVES
from aurum.services.catalog.block_changes import change_block
from aurum.services.catalog.mappings import add_mapping
from aurum.services.curves import CurveReading
from aurum.services.curves.build import build, repeat
from aurum.services.curves.build_answer import BuildAnswer
from aurum.services.curves.build_question import BuildQuestion, Prior
from aurum.services.curves.derived import NewDerived, add_derived, build_derived, stale_inputs
from aurum.services.curves.derived import changes as derived_changes
from aurum.services.curves.documents import add_reference, change_reference, remove_reference
from aurum.services.curves.products import add_product, change_product, remove_product
from aurum.services.curves.receipts import Restated
from aurum.services.curves.rows import QUOTE_ROWS
from aurum.services.curves.upload import upload_quotes
from aurum.services.removal import SeriesInUse, remove_series
from aurum.storage.ports.curves import QuoteSpan, ReferenceKind
from aurum.storage.ports.derived_curves import REBUILD, CurveCycle, DerivedCurve, DerivedState
from aurum.storage.ports.files import FileLoad
from aurum.storage.ports.jobs import JobFilter
from aurum.storage.ports.recordings import RecordingAction
from aurum.storage.testing.builders import T0, file_load
from aurum.storage.testing.stores import Store

MONTHS, OWN, MARKS, EMPTY = "power:XX:base:MONTHS", "power:XX:base:DERIVED", "power:XX:base:MARKS", "power:XX:base:EMPTY"
TENANT = "acme"
DAY, NEXT = date(2024, 10, 14), date(2024, 10, 15)
KNOWN = datetime(2024, 10, 14, 16, 30, tzinfo=UTC)
FIRSTS = (date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1), date(2025, 4, 1))
EXPRESSION = {
    "op": "convert",
    "currency": "USD",
    "curve": {
        "op": "combine",
        "a": {"op": "combine", "a": BASE, "b": MONTHS},
        "b": {"op": "combine", "a": PEAK, "b": MARKS},
        "factor": 0.1,
    },
}
"""It reads three shared curves, one of the tenant, and exchange rates. Only ``MONTHS`` is read as a strip."""
CALENDAR = next(one for one in default_delivery_calendars() if one.name == "eu_power")
VENUE = default_session_calendars()[0]


def by_hours(first: date, end: date) -> float:
    return hours(CALENDAR, first, end)


def by_days(first: date, end: date) -> float:
    return float((end - first).days)


def by_sessions(*closed: date) -> Callable[[date, date], float]:
    """Return the weight of a venue without holidays but these."""

    def weight(first: date, end: date) -> float:
        days = [first + timedelta(days=offset) for offset in range((end - first).days)]
        return float(sum(day.weekday() < 5 and day not in closed for day in days))

    return weight


def price(
    base: float = 98.0,
    months: Sequence[float] = (100.0, 110.0, 130.0),
    peak: float = 120.0,
    marks: float = 5.0,
    rate: float = 1.1,
    weight: Callable[[date, date], float] = by_hours,
) -> float:
    """Return the price of the first quarter, computed by hand."""
    weights = [weight(first, end) for first, end in pairwise(FIRSTS)]
    strip = float(np.average(months, weights=weights))
    return (base - strip - 0.1 * (peak - marks)) * rate


@dataclass(frozen=True, slots=True)
class World:
    """A store with the inputs and the derived curve of a tenant."""

    store: Store
    shared: CurveReading
    own: CurveReading
    curve: DerivedCurve

    async def current(self) -> DerivedCurve:
        return await self.store.derived_curves.curve(self.curve.derived_id, tenant=TENANT)

    async def settles(self, day: date = DAY) -> list[float | None]:
        return (await self.store.curves.quotes([self.curve.curve_id], QuoteSpan(day, day)))["settle"].to_list()

    async def jobs(self) -> set[str]:
        listed = await self.store.jobs.page(JobFilter(name=REBUILD), limit=500)
        return {one.job_id for one in listed if one.payload["derived_id"] == self.curve.derived_id}

    async def rebuild(self) -> DerivedCurve:
        return await rebuilt(self.store, self.own, self.curve)

    async def load(self, *files: FileLoad) -> None:
        for file in files:
            await self.store.loader.load(file)


Change = Callable[[World], Awaitable[object]]


async def rebuilt(store: Store, reading: CurveReading, curve: DerivedCurve, *, whole: bool = False) -> DerivedCurve:
    return await build_derived(
        store.transactions,
        store.derived_curves,
        reading,
        store.loader,
        curve.derived_id,
        tenant=curve.tenant,
        by=BY,
        whole=whole,
    )


async def derived(store: Store, reading: CurveReading, key: str, expression: object) -> DerivedCurve:
    arguments = (store.transactions, store.derived_curves, reading, store.loader, NewDerived(key, expression))
    return await add_derived(*arguments, tenant=reading.tenant, by=BY, now=SystemClock().now())


def session(key: str, quotes: Mapping[str, float | None], *, day: date = DAY, hours: float = 0) -> FileLoad:
    """Return a file of a trade date, known some hours after the first one. The quotes of ``MARKS`` are of the tenant."""
    file = session_file(key, day, list(quotes.items()), known_at=KNOWN + timedelta(hours=hours))
    if key != MARKS:
        return file
    return replace(file, parts=tuple(replace(part, tenant=TENANT) for part in file.parts))  # type: ignore[call-arg]


def rates(*values: tuple[date, float], version: int = 0, quality: Quality = Quality.GOOD, currency: str = "USD") -> FileLoad:
    """Return a file of exchange rates by day; a higher version is known later."""
    points = [
        ((datetime(day.year, day.month, day.day, tzinfo=UTC) - T0) / timedelta(hours=1), version, value, int(quality))
        for day, value in values
    ]
    return file_load(points, key=rate_key(currency), unit=f"{currency}/EUR", currency=currency, zone="UTC", frequency="1d")


MARKET = (
    session(BASE, {"Q1-25": 98.0}),
    session(MONTHS, {"2025-01": 100.0, "2025-02": 110.0, "2025-03": 130.0}),
    session(PEAK, {"Q1-25": 120.0}),
    rates((DAY, 1.1)),
)


async def world(store: Store, prepare: Change | None = None) -> World:
    """Return the world in which an input changes. ``prepare``: what is done before the curve is derived."""
    shared = await curve_reading(store, tenants={MARKS: TENANT})
    own = reading_of_tenant(store, shared, TENANT)
    await curve_reading(store, *MARKET)
    await store.loader.load(session(MARKS, {"Q1-25": 5.0}))
    empty = World(store, shared, own, None)  # type: ignore[arg-type]
    if prepare is not None:
        await prepare(empty)
    return replace(empty, curve=await derived(store, own, OWN, EXPRESSION))


@dataclass(frozen=True, slots=True)
class Way:
    """A way in which an input can change.

    ``change``: what is done. ``state``: of the curve after it. ``refused``: the error of a change that cannot be made.
    ``price``: of the curve once it is built, NaN for one without a price. ``failed``: why it is not built, then. ``receipts``:
    whether builds from before the change are repeated, or refused. ``prepare``: what is done before the curve is derived.
    """

    change: Change
    state: DerivedState = DerivedState.STALE
    price: float = price()
    refused: type[AurumError] | None = None
    failed: str = ""
    receipts: str = "same"
    prepare: Change | None = None


def loads(*files: FileLoad) -> Change:
    return lambda world: world.load(*files)


def edits(key: str, **changes: object) -> Change:
    """Return an edit of terms of a product by its owner."""

    async def change(world: World) -> None:
        tenant = TENANT if key in (MARKS, OWN) else None
        reading = world.own if tenant else world.shared
        await change_product(world.store.transactions, reading, key, changes, tenant=tenant, version=None, by=BY)

    return change


def edits_document(kind: ReferenceKind, name: str, **changes: object) -> Change:
    async def change(world: World) -> None:
        await change_reference(world.store.transactions, world.shared, kind, name, changes, tenant=None, version=None, by=BY)

    return change


async def sent_by_the_tenant(world: World) -> None:
    row = {"trade_date": DAY.isoformat(), "product": MARKS, "period": "Q1-25", "settle": 7.0}
    frame = pl.DataFrame([{name: row.get(name) for name in QUOTE_ROWS}], schema=QUOTE_ROWS)
    now = SystemClock().now()
    arguments = (world.own, world.store.private.of(TENANT).loader, frame)
    await upload_quotes(*arguments, tenant=TENANT, file_name="body", size=1, most=10, now=now, by=BY)


async def loaded_again_after_quarantine(world: World) -> None:
    """Load a file that was loaded without one of its quotes once more, with all of them and under its known time."""
    file = session(MONTHS, {"2025-01": 90.0, "2025-02": 110.0, "2025-03": 130.0}, hours=1)
    (part,) = file.parts
    await world.store.loader.load(replace(file, parts=(replace(part, rows=part.rows[1:]),)))
    assert not (await world.current()).changes, "the rows that were stored repeat what was known"
    await world.store.loader.load(file, force=True)


async def known_times_restated(world: World) -> None:
    """Give the rate of the trade date the known time that a rule would have given it."""
    key = rate_key("USD")
    series = (await world.store.catalog.series_by_key([key]))[key]
    moves = pl.DataFrame([(series.series_id, datetime(2024, 10, 14, tzinfo=UTC), T0, KNOWN)], schema=MOVES, orient="row")
    async with world.store.transactions.transaction(by=BY) as tx:
        recording = await tx.recordings.begin()
        assert (await tx.restater.restate(moves, recording_id=recording)).points == 1
        await tx.recordings.seal(recording, RecordingAction.RESTATEMENT, [])


async def rate_removed(world: World) -> None:
    await remove_series(world.store.transactions, world.store.catalog, rate_key("USD"), reason="another feed", by=BY)


async def product_removed(world: World) -> None:
    await remove_product(world.store.transactions, world.shared, BASE, tenant=None, by=BY)


async def hidden(world: World) -> None:
    """Add a shared product of the key of one of the tenant."""
    document = product_of(MARKS).to_document() | {"settles_on": None}
    await add_product(world.store.transactions, world.shared, document, tenant=None, by=BY)


async def hidden_and_seen_again(world: World) -> None:
    await hidden(world)
    with pytest.raises(Conflict):
        await world.rebuild()
    await remove_product(world.store.transactions, world.shared, MARKS, tenant=None, by=BY)


WITH_SESSIONS = edits(MONTHS, weighting="sessions", sessions=VENUE.name)
HOLIDAY = date(2025, 3, 3)


async def sessions_stored(world: World) -> None:
    await edits_document(ReferenceKind.SESSIONS, VENUE.name, closed={})(world)
    await WITH_SESSIONS(world)


async def sessions_removed(world: World) -> None:
    await remove_reference(world.store.transactions, world.shared, ReferenceKind.SESSIONS, VENUE.name, tenant=None, by=BY)


async def own_sessions_replaced(world: World) -> None:
    """Add a shared calendar of sessions under a name that only the tenant had."""
    document = replace(VENUE, name="DESK", closed=(HOLIDAY,)).to_document()
    await add_reference(world.store.transactions, world.shared, ReferenceKind.SESSIONS, document, tenant=None, by=BY)


async def own_sessions(world: World) -> None:
    document = replace(VENUE, name="DESK", closed=()).to_document()
    await add_reference(world.store.transactions, world.own, ReferenceKind.SESSIONS, document, tenant=TENANT, by=BY)
    await edits(MARKS, weighting="sessions", sessions="DESK")(world)


def edits_block(**changes: object) -> Change:
    async def change(world: World) -> None:
        await change_block(world.store.transactions, "entsoe", "PEAK", changes, version=None, by=BY)

    return change


async def word_mapped(world: World) -> None:
    await add_mapping(world.store.transactions, MappingKind.PERIOD, spelling="Kal", target="Cal", by=BY)


STALE, FRESH = DerivedState.STALE, DerivedState.FRESH
EUROPE = next(one for one in default_season_families() if one.name == "europe").to_document()
WAYS: Mapping[str, Way] = {
    # quotes
    "a correction": Way(loads(session(BASE, {"Q1-25": 99.0}, hours=1)), price=price(base=99.0)),
    "a correction of a part of a strip": Way(
        loads(session(MONTHS, {"2025-02": 112.0}, hours=1)), price=price(months=(100.0, 112.0, 130.0))
    ),
    "an unpriced quote": Way(loads(session(MONTHS, {"2025-02": None}, hours=1)), price=float("nan")),
    "a publication that arrives late, before the one in force": Way(loads(session(BASE, {"Q1-25": 80.0}, hours=-1))),
    "a repetition": Way(loads(session(BASE, {"Q1-25": 98.0}, hours=1)), FRESH),
    "a file of the tenant": Way(loads(session(MARKS, {"Q1-25": 6.0}, hours=1)), price=price(marks=6.0)),
    "quotes sent by the tenant": Way(sent_by_the_tenant, price=price(marks=7.0)),
    "a replay of rows in quarantine": Way(loaded_again_after_quarantine, price=price(months=(90.0, 110.0, 130.0))),
    # exchange rates
    "a corrected rate": Way(loads(rates((DAY, 1.2), version=1)), price=price(rate=1.2)),
    "a rate of a later day, which the trade date does not use": Way(loads(rates((NEXT, 1.3))), FRESH),
    "a withdrawn rate, with one of the day before, which is not used": Way(
        loads(rates((DAY - timedelta(days=1), 1.05)), rates((DAY, float("nan")), version=1, quality=Quality.WITHDRAWN)),
        failed="has no exchange rate",
    ),
    "a withdrawn rate": Way(
        loads(rates((DAY, float("nan")), version=1, quality=Quality.WITHDRAWN)), failed="has no exchange rate"
    ),
    "a rate of another currency": Way(loads(rates((DAY, 0.9), currency="GBP")), FRESH),
    "restated known times of rates": Way(known_times_restated, FRESH),
    "the removal of a series of rates": Way(rate_removed, refused=SeriesInUse),
    # terms of products
    "another weighting": Way(edits(MONTHS, weighting="days"), price=price(weight=by_days), receipts="restated"),
    "another calendar of sessions": Way(WITH_SESSIONS, price=price(weight=by_sessions(*VENUE.closed)), receipts="restated"),
    "another tick": Way(edits(MONTHS, tick=0.05), receipts="restated"),
    "another tick of the derived curve": Way(edits(OWN, tick=0.05)),
    "another season family": Way(edits(MONTHS, seasons="us_gas"), receipts="restated"),
    "another title": Way(edits(MONTHS, title="Months"), FRESH),
    "another unit": Way(edits(MONTHS, unit="USD/MWh", currency="USD", settles_on=None), refused=Conflict),
    "another currency": Way(edits(MONTHS, currency="USD"), refused=Invalid),
    "another delivery calendar": Way(edits(MONTHS, calendar="eu_gas"), refused=Conflict),
    "another block": Way(edits(MONTHS, block="PEAK"), refused=Conflict),
    "the removal of a product": Way(product_removed, refused=Conflict),
    "a shared product that hides an input": Way(hidden, failed="hides that of the tenant"),
    "a shared product that hid an input and was removed": Way(hidden_and_seen_again, state=DerivedState.FAILED),
    # what products are read with
    "holidays of a venue": Way(
        edits_document(ReferenceKind.SESSIONS, VENUE.name, closed={"2025": f"{HOLIDAY:%m-%d}"}),
        price=price(weight=by_sessions(HOLIDAY)),
        prepare=WITH_SESSIONS,
    ),
    "the shipped holidays of a venue again": Way(
        sessions_removed, price=price(weight=by_sessions(*VENUE.closed)), prepare=sessions_stored
    ),
    "shared sessions in place of those of the tenant": Way(own_sessions_replaced, prepare=own_sessions),
    "hours of a delivery calendar": Way(
        edits_document(ReferenceKind.DELIVERY_CALENDAR, "eu_power", day_start="06:00"), refused=Conflict
    ),
    "the title of a delivery calendar": Way(
        edits_document(ReferenceKind.DELIVERY_CALENDAR, "eu_power", title="Power"), receipts="restated"
    ),
    "another name for a season": Way(
        edits_document(
            ReferenceKind.SEASONS,
            "europe",
            seasons=[*EUROPE["seasons"], {"name": "Mid", "first_month": 1, "months": 6}],  # type: ignore[misc]
        )
    ),
    "hours of a block": Way(edits_block(windows=[{"hours": [[1, 4]]}]), refused=Conflict),
    "another name for a block": Way(edits_block(aliases=["Spitze"]), FRESH),
    "a mapping": Way(word_mapped, FRESH),
}


@pytest.mark.parametrize("name", list(WAYS))
async def test_an_input_that_changes_makes_the_curve_stale_and_a_build_gives_the_new_numbers(store: Store, name: str) -> None:
    way = WAYS[name]
    within = await world(store, way.prepare)
    assert within.curve.state is FRESH
    before, jobs = await within.settles(), await within.jobs()
    if way.refused is not None:
        with pytest.raises(way.refused):
            await way.change(within)
        assert (await within.current(), await within.jobs()) == (within.curve, jobs), "nothing has changed"
        return
    await way.change(within)
    changed = await within.current()
    assert changed.state is way.state
    assert await within.settles() == before, "until the build it has the old numbers"
    if way.state is FRESH:
        assert changed == within.curve
        assert (await rebuilt(store, within.own, within.curve, whole=True)).report["revised"] == 0  # type: ignore[index]
        return
    assert stale_inputs(changed)
    assert len(await within.jobs()) > len(jobs), "the transaction of the change has submitted the job"
    if way.failed:
        with pytest.raises((Invalid, Conflict), match=way.failed):
            await within.rebuild()
        assert (await within.current()).state is DerivedState.FAILED
        assert await within.settles() == before
        return
    fresh = await within.rebuild()
    assert (fresh.state, fresh.changes) == (FRESH, ())
    (settle,) = await within.settles()
    assert settle == (None if np.isnan(way.price) else pytest.approx(way.price, rel=1e-12))
    if settle != before[0]:
        assert fresh.built_at is not None
        assert within.curve.built_at is not None
        assert fresh.built_at > within.curve.built_at
        (old,) = (await store.curves.quotes([fresh.curve_id], QuoteSpan(), as_of=within.curve.built_at))["settle"].to_list()
        assert old == before[0], "what was known before the build stays readable"


async def outcome(reading: CurveReading, first: BuildAnswer) -> str:
    """Return what becomes of a receipt: ``same`` where it gives the same numbers, ``restated`` where it names a change."""
    try:
        again = await repeat(reading, first.receipt)
    except Restated:
        return "restated"
    for name, values in first.values.items():
        np.testing.assert_allclose(again.values[name], values, rtol=0, atol=1e-9)
    assert [one.period for one in again.periods] == [one.period for one in first.periods]
    prices = [np.array([one.value for one in answer.periods], dtype=np.float64) for answer in (again, first)]
    np.testing.assert_allclose(*prices, rtol=1e-9)
    return "same"


@pytest.mark.parametrize("name", [name for name, way in WAYS.items() if way.refused is None])
async def test_a_receipt_of_before_the_change_repeats_its_build_or_names_the_change(store: Store, name: str) -> None:
    way = WAYS[name]
    within = await world(store, way.prepare)
    of_input = BuildQuestion(MONTHS, prior=Prior(curve=BASE), periods=("Q1-25", "Sum-25"))
    first = await build(within.shared, of_input)
    of_derived = await build(within.own, BuildQuestion(OWN))
    await way.change(within)
    if way.state is not FRESH and not way.failed:
        await within.rebuild()
    assert await outcome(within.shared, first) == way.receipts
    assert await outcome(within.own, of_derived) in ("same", "restated")


async def test_only_trade_dates_on_which_a_rate_changed_are_computed(store: Store) -> None:
    days = [DAY + timedelta(days=offset) for offset in range(-40, 1)]
    shared = await curve_reading(store, *(session(BASE, {"Q1-25": 98.0}, day=day) for day in days))
    every = [(day, 1.1) for day in days]
    await store.loader.load(rates(*every))
    curve = await derived(store, shared, OWN, {"op": "convert", "curve": BASE, "currency": "USD"})
    corrected = [(day, 1.2 if day == days[5] else rate) for day, rate in every]
    await store.loader.load(rates(*corrected, (NEXT, 1.3), version=1))
    (cause,) = stale_inputs(await store.derived_curves.curve(curve.derived_id, tenant=None))
    assert (cause.first, cause.trade_dates) == (days[5], 1), "of 42 days in the file two changed, one of them without quotes"
    built = await rebuilt(store, shared, curve)
    assert built.report is not None
    assert (built.report["trade_dates"], built.report["revised"]) == (1, 1)
    frame = await store.curves.quotes([curve.curve_id], QuoteSpan())
    assert frame.filter(pl.col("settle") > 98.0 * 1.15)["trade_date"].to_list() == [days[5]]


SHIFTED, TWICE, SUM = "power:XX:base:SHIFTED", "power:XX:base:TWICE", "power:XX:base:SUM"


async def settle(store: Store, curve: DerivedCurve) -> float | None:
    return (await store.curves.quotes([curve.curve_id], QuoteSpan()))["settle"][0]


async def state(store: Store, curve: DerivedCurve) -> tuple[DerivedState, tuple[str, ...]]:
    now = await store.derived_curves.curve(curve.derived_id, tenant=None)
    return now.state, now.waits_for


async def queued(store: Store, curve: DerivedCurve) -> int:
    listed = await store.jobs.page(JobFilter(name=REBUILD), limit=500)
    return sum(one.payload["derived_id"] == curve.derived_id for one in listed)


async def test_a_curve_that_reads_a_stale_one_is_stale_and_is_built_after_it(store: Store) -> None:
    shared = await curve_reading(store, session(BASE, {"Q1-25": 98.0}))
    first = await derived(store, shared, SHIFTED, {"op": "shift", "curve": BASE, "by": 1.0})
    second = await derived(store, shared, TWICE, {"op": "scale", "curve": SHIFTED, "by": 2})
    third = await derived(store, shared, SUM, {"op": "shift", "curve": TWICE, "by": 0.5})
    await store.loader.load(session(BASE, {"Q1-25": 90.0}, hours=1))
    assert await state(store, first) == (STALE, ())
    assert await state(store, second) == (STALE, (SHIFTED,))
    assert await state(store, third) == (STALE, (SHIFTED,))
    await rebuilt(store, shared, first)
    assert await state(store, third) == (STALE, (TWICE,))
    assert (await rebuilt(store, shared, third)).state is STALE, "it has nothing to read yet"
    await rebuilt(store, shared, second)
    assert (await rebuilt(store, shared, third)).state is FRESH
    assert await settle(store, third) == 182.5


async def test_a_curve_with_two_ways_to_an_input_never_mixes_its_old_and_new_prices(store: Store) -> None:
    shared = await curve_reading(store, session(BASE, {"Q1-25": 98.0}))
    low = await derived(store, shared, SHIFTED, {"op": "shift", "curve": BASE, "by": -1.0})
    high = await derived(store, shared, TWICE, {"op": "scale", "curve": BASE, "by": 2})
    both = await derived(store, shared, SUM, {"op": "combine", "a": TWICE, "b": SHIFTED})
    assert await settle(store, both) == 99.0
    await store.loader.load(session(BASE, {"Q1-25": 50.0}, hours=1))
    assert await state(store, both) == (STALE, (SHIFTED, TWICE))
    await rebuilt(store, shared, high)
    before = await queued(store, both)
    waiting = await rebuilt(store, shared, both)
    assert (waiting.state, waiting.waits_for, await settle(store, both)) == (STALE, (SHIFTED,), 99.0), "not 3.0"
    await rebuilt(store, shared, low)
    assert await queued(store, both) == before + 1, "the build that it waited for has submitted its job"
    assert (await rebuilt(store, shared, both)).state is FRESH
    assert await settle(store, both) == 51.0
    versions = await store.curves.versions([both.curve_id], QuoteSpan())
    assert versions["settle"].to_list() == [99.0, 51.0]


async def test_a_build_that_stores_nothing_lets_those_go_on_that_waited_for_it(store: Store) -> None:
    shared = await curve_reading(store, session(BASE, {"Q1-25": 98.0}))
    first = await derived(store, shared, SHIFTED, {"op": "scale", "curve": BASE, "by": 0.0})
    second = await derived(store, shared, SUM, {"op": "combine", "a": BASE, "b": SHIFTED})
    await store.loader.load(session(BASE, {"Q1-25": 90.0}, hours=1))
    assert (await rebuilt(store, shared, second)).state is STALE
    before = await queued(store, second)
    built = await rebuilt(store, shared, first)
    assert (built.report or {})["revised"] == 0
    assert (await queued(store, second), (await state(store, second))[1]) == (before + 1, ())
    assert (await rebuilt(store, shared, second)).state is FRESH
    assert await settle(store, second) == 90.0


async def test_a_first_build_that_had_to_wait_gets_another_job(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = await curve_reading(store, session(BASE, {"Q1-25": 98.0}))
    monkeypatch.setattr(derived_changes, "SMALL", 0)
    first = await derived(store, shared, SHIFTED, {"op": "shift", "curve": BASE, "by": 1.0})
    monkeypatch.undo()
    second = await derived(store, shared, SUM, {"op": "scale", "curve": SHIFTED, "by": 2})
    assert await state(store, second) == (DerivedState.BUILDING, (SHIFTED,))
    before = await queued(store, second)
    await rebuilt(store, shared, first)
    assert await queued(store, second) == before + 1
    assert (await rebuilt(store, shared, second)).state is FRESH
    assert await settle(store, second) == 198.0


async def test_a_curve_that_would_be_derived_from_itself_through_another_is_refused(store: Store) -> None:
    shared = await curve_reading(store, session(BASE, {"Q1-25": 98.0}), session(SUM, {}))
    await derived(store, shared, SHIFTED, {"op": "shift", "curve": SUM, "by": 1.0})
    await derived(store, shared, TWICE, {"op": "combine", "a": BASE, "b": SHIFTED})
    with pytest.raises(CurveCycle) as caught:
        await derived(store, shared, SUM, {"op": "scale", "curve": TWICE, "by": 2})
    assert caught.value.facts["path"] == [SUM, TWICE, SHIFTED, SUM]


async def test_an_input_without_quotes_that_gets_another_unit_fails_the_next_build(store: Store) -> None:
    shared = await curve_reading(store, session(EMPTY, {}))
    curve = await derived(store, shared, OWN, {"op": "scale", "curve": EMPTY, "by": 2})
    change = {"unit": "USD/MWh", "currency": "USD", "settles_on": None}
    await change_product(store.transactions, shared, EMPTY, change, tenant=None, version=None, by=BY)
    assert (await state(store, curve))[0] is STALE
    await store.loader.load(session(EMPTY, {"Q1-25": 98.0}))
    with pytest.raises(Conflict, match="its product has unit EUR/MWh, and its inputs now give USD/MWh"):
        await rebuilt(store, shared, curve)
    assert (await store.curves.quotes([curve.curve_id], QuoteSpan())).is_empty()


async def test_the_hours_of_a_block_of_an_input_without_quotes_make_a_curve_stale(store: Store) -> None:
    shared = await curve_reading(store)
    curve = await derived(store, shared, "power:XX:peak:DERIVED", {"op": "scale", "curve": PEAK, "by": 2})
    await edits_block(windows=[{"hours": [[1, 4]]}])(World(store, shared, shared, curve))
    causes = stale_inputs(await store.derived_curves.curve(curve.derived_id, tenant=None))
    assert [(one.key, one.trade_dates) for one in causes] == [(PEAK, None), (curve.key, None)], "its own product has the block"
    assert (await rebuilt(store, shared, curve)).state is FRESH
