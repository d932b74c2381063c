"""Trade dates of a curve beside the sessions of its venue: as a whole, and by kind of period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from curve_quotes import BASE, BY, curve_reading, product_of, session_file

from aurum.core.curves.periods import PeriodKind
from aurum.core.errors import Conflict
from aurum.services.curves import Completeness, CurveReading, Known, plan_curve, read_curve
from aurum.services.curves.completeness import completeness_by_kind
from aurum.services.curves.documents import add_reference, change_reference, remove_reference
from aurum.storage.ports.curves import QuoteSpan, ReferenceKind
from aurum.storage.testing.stores import Store

MONTH, QUARTER = ("Mar-25", 40.5), ("Q2-25", 41.25)
THURSDAY, FRIDAY, MONDAY, TUESDAY = (date(2025, 4, day) for day in (10, 11, 14, 15))
AFTER_EASTER = date(2025, 4, 22)


async def reading_of(
    store: Store,
    *days: tuple[date, Sequence[tuple[str, float]]],
    sessions: str | None = "XEEE",
    known_at: datetime = datetime(2025, 5, 1, tzinfo=UTC),
) -> CurveReading:
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.put_product(replace(product_of(BASE), sessions=sessions), tenant=None)
    return await curve_reading(store, *(session_file(BASE, day, quotes, known_at=known_at) for day, quotes in days))


async def by_kind(
    reading: CurveReading, known: Known | None = None
) -> dict[PeriodKind, tuple[int, int, list[date], list[date]]]:
    plan = await plan_curve(reading, BASE)
    kinds = await completeness_by_kind(reading, plan.stored, plan.terms, plan.sessions, known)
    return {
        one.kind: (
            one.quotes,
            one.completeness.expected,
            list(one.completeness.missing),
            list(one.completeness.outside),
        )
        for one in kinds
    }


async def whole_of(reading: CurveReading) -> Completeness | None:
    return (await read_curve(reading, await plan_curve(reading, BASE))).completeness


async def test_sessions_without_quotes_are_missing_and_closed_days_are_not(store: Store) -> None:
    reading = await reading_of(store, (THURSDAY, [MONTH]), (MONDAY, [MONTH]), (AFTER_EASTER, [MONTH]))
    whole = await whole_of(reading)
    assert whole is not None
    assert (whole.calendar, whole.expected, whole.received, whole.missing_count) == ("XEEE", 7, 3, 4)
    assert list(whole.missing) == [date(2025, 4, 17), date(2025, 4, 16), TUESDAY, FRIDAY]
    assert not whole.outside


async def test_a_kind_of_period_may_lack_sessions_that_the_curve_has(store: Store) -> None:
    reading = await reading_of(
        store, (THURSDAY, [MONTH, QUARTER]), (FRIDAY, [MONTH]), (MONDAY, [MONTH, QUARTER]), (TUESDAY, [MONTH])
    )
    assert await by_kind(reading) == {
        PeriodKind.MONTH: (4, 4, [], []),
        PeriodKind.QUARTER: (2, 4, [TUESDAY, FRIDAY], []),
    }


async def test_a_kind_counts_from_its_first_trade_date(store: Store) -> None:
    reading = await reading_of(store, (THURSDAY, [MONTH]), (FRIDAY, [MONTH]), (MONDAY, [MONTH, QUARTER]))
    assert (await by_kind(reading))[PeriodKind.QUARTER] == (1, 1, [], [])


async def test_a_trade_date_that_is_not_a_session_is_named(store: Store) -> None:
    good_friday = date(2025, 4, 18)
    reading = await reading_of(store, (date(2025, 4, 17), [MONTH]), (good_friday, [MONTH]))
    assert (await by_kind(reading))[PeriodKind.MONTH] == (2, 1, [], [good_friday])


async def test_completeness_is_of_what_was_known(store: Store) -> None:
    known_at = datetime(2025, 4, 11, 12, tzinfo=UTC)
    reading = await reading_of(store, (THURSDAY, [MONTH]), (FRIDAY, [MONTH]), known_at=known_at)
    assert await by_kind(reading, Known(as_of=datetime(2025, 4, 11, tzinfo=UTC))) == {}
    assert (await by_kind(reading, Known(as_of=known_at)))[PeriodKind.MONTH][0] == 2


async def test_a_venue_without_known_sessions_and_a_curve_without_quotes_have_no_completeness(store: Store) -> None:
    reading = await reading_of(store, (THURSDAY, [MONTH]), sessions=None)
    assert await whole_of(reading) is None
    assert await by_kind(reading) == {}


async def test_a_curve_without_quotes_has_no_completeness(store: Store) -> None:
    reading = await reading_of(store)
    assert await whole_of(reading) is None
    assert await by_kind(reading) == {}


OURS = {"name": "XEEE", "title": "Ours", "first": "2025-01-01", "last": "2025-12-31", "closed": {"2025": "04-11 04-15"}}


async def missing(reading: CurveReading) -> tuple[str, list[date], list[date]]:
    """Return the calendar of a curve, the sessions that it lacks, and its trade dates that are none."""
    whole = await whole_of(reading)
    assert whole is not None
    return whole.calendar, list(whole.missing), list(whole.outside)


async def test_sessions_that_an_administrator_stored_count_and_their_removal_brings_the_shipped_ones_back(
    store: Store,
) -> None:
    reading = await reading_of(store, (THURSDAY, [MONTH]), (MONDAY, [MONTH]), (date(2025, 4, 16), [MONTH]))
    stored = await reading.curves.product(BASE, tenant=None)
    quotes = await reading.curves.quotes([stored.curve_id], QuoteSpan())
    assert await missing(reading) == ("XEEE", [TUESDAY, FRIDAY], [])
    arguments = store.transactions, reading, ReferenceKind.SESSIONS
    await add_reference(*arguments, OURS, tenant=None, by=BY)
    assert await missing(reading) == ("XEEE", [], [])
    closed = {"closed": {"2025": "04-14"}}
    changed = await change_reference(*arguments, "XEEE", closed, tenant=None, version=1, by=BY)
    assert changed.version == 2
    assert await missing(reading) == ("XEEE", [TUESDAY, FRIDAY], [MONDAY])
    with pytest.raises(Conflict, match="has version 2, not 1"):
        await change_reference(*arguments, "XEEE", closed, tenant=None, version=1, by=BY)
    await remove_reference(*arguments, "XEEE", tenant=None, by=BY)
    assert await missing(reading) == ("XEEE", [TUESDAY, FRIDAY], [])
    assert await reading.curves.product(BASE, tenant=None) == stored
    assert (await reading.curves.quotes([stored.curve_id], QuoteSpan())).equals(quotes)


async def test_sessions_of_a_new_name_count_for_the_products_that_name_them_and_stay_while_they_do(store: Store) -> None:
    reading = await reading_of(store, (THURSDAY, [MONTH]), (MONDAY, [MONTH]), sessions="OURS")
    assert await whole_of(reading) is None
    arguments = store.transactions, reading, ReferenceKind.SESSIONS
    await add_reference(*arguments, OURS | {"name": "OURS"}, tenant=None, by=BY)
    assert await missing(reading) == ("OURS", [], [])
    with pytest.raises(Conflict, match=f"product {BASE} is read with sessions 'OURS'"):
        await remove_reference(*arguments, "OURS", tenant=None, by=BY)
