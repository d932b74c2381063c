"""Strips that no quotes tile: derived from a build of the quotes ahead, or not available."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from curve_quotes import BASE, PEAK, curve_reading, session_file

from aurum.core.curves.keys import CurveKey
from aurum.core.curves.products import Weighting
from aurum.core.curves.strips import StripMethod
from aurum.services.curves import CurveReading, Side, StripsQuestion
from aurum.services.curves.build import build
from aurum.services.curves.build_question import BuildQuestion
from aurum.services.curves.strips import PeriodStrip, plan_strips, read_strips
from aurum.storage.ports.access import Actor
from aurum.storage.testing.stores import Store

DAY = date(2024, 10, 14)
NOW = datetime(2024, 10, 15, tzinfo=UTC)
QUOTES = [("2024-10", 70.0), ("Q4-24", 80.0), ("2024-12", 92.5), ("2025-01", 102.0), ("Q1-25", 98.31), ("Q2-25", 78.48)]


async def strips_of(
    reading: CurveReading,
    *periods: str,
    block: str | None = None,
    weighting: Weighting | None = None,
    unit: str | None = None,
) -> Sequence[PeriodStrip]:
    product = await reading.curves.product(BASE, tenant=None)
    question = StripsQuestion(NOW, periods, DAY, weighting=weighting, block=block, side=Side.SETTLE, unit=unit)
    return await read_strips(reading, await plan_strips(reading, product, question))


@pytest.mark.parametrize("key", [BASE, PEAK])
async def test_a_month_that_is_not_quoted_is_derived_from_a_build(store: Store, key: str) -> None:
    reading = await curve_reading(store, session_file(key, DAY, QUOTES))
    (strip,) = await strips_of(reading, "Feb-25", block=key.split(":")[2])
    answer = await build(reading, BuildQuestion(key, trade_date=DAY, periods=("Feb-25",)))
    assert (strip.method, strip.coverage, strip.quoted, strip.reason) == (StripMethod.FROM_BUILD, 1.0, None, None)
    assert strip.value == pytest.approx(answer.periods[0].value, abs=1e-9)
    assert 90 < strip.value < 102


async def test_off_peak_of_a_month_that_is_not_quoted_is_derived_from_both_blocks(store: Store) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, QUOTES), session_file(PEAK, DAY, QUOTES))
    (strip,) = await strips_of(reading, "Feb-25", block="off_peak")
    base, peak = [(await strips_of(reading, "Feb-25", block=block))[0] for block in ("base", "peak")]
    assert base.value is not None
    assert peak.value is not None
    assert strip.value == pytest.approx((base.value * 672 - peak.value * 240) / 432)


async def test_off_peak_that_a_venue_lists_and_does_not_quote_is_made_of_base_and_peak(store: Store) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, QUOTES), session_file(PEAK, DAY, QUOTES))
    base = await reading.curves.product(BASE, tenant=None)
    listed = replace(base.product, key=CurveKey.parse(BASE.replace(":base:", ":off_peak:")), block="OFF_PEAK")
    async with store.transactions.transaction(by=Actor("test")) as tx:
        await tx.curve_reference.put_product(listed, tenant=None)
    (strip,) = await strips_of(reading, "2025-01", block="off_peak")
    assert strip.method is StripMethod.FROM_BLOCKS
    assert strip.value == pytest.approx(102.0)


async def test_a_strip_by_days_is_derived_by_days(store: Store) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, [("2025-01", 102.0), ("2025-02", 104.0), ("Q1-25", 98.0)]))
    (march,) = await strips_of(reading, "Mar-25", weighting=Weighting.DAYS)
    assert march.value == pytest.approx((98.0 * 90 - 102.0 * 31 - 104.0 * 28) / 31, abs=1e-9)
    (by_hours,) = await strips_of(reading, "Mar-25")
    assert by_hours.value == pytest.approx((98.0 * 2159 - 102.0 * 744 - 104.0 * 672) / 743, abs=1e-9)


async def test_quotes_in_delivery_and_gaps_derive_nothing(store: Store) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, [*QUOTES, ("2025-10", 85.0)]))
    november, gap, later, half = await strips_of(reading, "Nov-24", "Aug-25", "Jan-28", "2025-09-20..2025-10-10")
    assert november.coverage == 1.0, "the quarter in delivery covers it, but it is mostly realised spot"
    assert november.reason is not None
    assert "ahead of their delivery" in november.reason
    for one in (november, gap, later, half):
        assert (one.value, one.method) == (None, None)
    assert (gap.coverage, later.coverage) == (0.0, 0.0)


async def test_a_curve_is_built_once_and_only_where_a_period_needs_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from aurum.services.curves import strip_builds

    reading = await curve_reading(store, session_file(BASE, DAY, QUOTES))
    made = strip_builds.build_curve
    builds: list[object] = []
    monkeypatch.setattr(strip_builds, "build_curve", lambda *a, **k: builds.append(a) or made(*a, **k))
    await strips_of(reading, "Q1-25", "2024-12", "Jan-28")
    assert builds == []
    await strips_of(reading, "Feb-25", "Mar-25", "Q1-25", "May-25")
    assert len(builds) == 1


@pytest.mark.parametrize(("quarter", "is_consistent"), [(50.005, True), (52.0, False)])
@pytest.mark.parametrize("unit", [None, "EUR/kWh"])
async def test_a_strip_is_compared_by_the_tick_in_the_unit_of_the_answer(
    store: Store, quarter: float, is_consistent: bool, unit: str | None
) -> None:
    quotes = [("2025-01", 50.0), ("2025-02", 50.0), ("2025-03", 50.0), ("Q1-25", quarter)]
    reading = await curve_reading(store, session_file(BASE, DAY, quotes))
    (strip,) = await strips_of(reading, "Q1-25", unit=unit)
    assert strip.is_consistent is is_consistent
