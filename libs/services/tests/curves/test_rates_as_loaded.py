"""Exchange rates of answers about curves as the store stood before a rate was corrected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime

import pytest
from spread_quotes import COAL, POWER, quotes_file, rates_file, settled, spread_reading

from aurum.common.clock import SystemClock
from aurum.services.curves import CurveReading
from aurum.services.curves.continuous import ContinuousQuestion, plan_continuous, read_continuous
from aurum.services.curves.diff import DiffQuestion, plan_diff, read_diff
from aurum.services.curves.explain import ExplainQuestion, plan_explain, read_explain
from aurum.services.curves.explain_positions import Position, PositionsQuestion, explain_positions
from aurum.services.curves.quotes import QuotesQuestion, plan_quotes, read_quotes
from aurum.services.curves.selection import curve_of
from aurum.services.curves.strips import StripsQuestion, plan_strips, read_strips
from aurum.storage.testing.stores import Store

FRIDAY, MONDAY = date(2024, 10, 11), date(2024, 10, 14)
Read = Callable[[CurveReading, datetime, datetime | None], Awaitable[float | None]]


async def _quoted(reading: CurveReading, now: datetime, as_loaded: datetime | None) -> float | None:
    question = QuotesQuestion(now, MONDAY, as_loaded=as_loaded, currency="USD")
    plan = await plan_quotes(reading, [await curve_of(reading, POWER)], question)
    return (await read_quotes(reading, plan)).frame["settle"][0]


async def _moved(reading: CurveReading, now: datetime, as_loaded: datetime | None) -> float | None:
    question = DiffQuestion(now, FRIDAY, MONDAY, as_loaded=as_loaded, currency="USD")
    plan = await plan_diff(reading, [await curve_of(reading, POWER)], question)
    return (await read_diff(reading, plan)).frame["b"][0]


async def _strip(reading: CurveReading, now: datetime, as_loaded: datetime | None) -> float | None:
    question = StripsQuestion(now, ["Nov-24"], MONDAY, as_loaded=as_loaded, currency="USD")
    return (await read_strips(reading, await plan_strips(reading, await curve_of(reading, POWER), question)))[0].value


async def _continuous(reading: CurveReading, now: datetime, as_loaded: datetime | None) -> float | None:
    question = ContinuousQuestion(now, "M+1", as_loaded=as_loaded, currency="USD")
    plan = await plan_continuous(reading, await curve_of(reading, POWER), question)
    return (await read_continuous(reading, plan)).frame["price"][-1]


async def _explained(reading: CurveReading, now: datetime, as_loaded: datetime | None) -> float | None:
    question = ExplainQuestion(now, FRIDAY, MONDAY, as_loaded=as_loaded, currency="USD")
    plan = await plan_explain(reading, [await curve_of(reading, POWER)], question)
    return (await read_explain(reading, plan)).curves[0].changes[0].explained.end.price


async def _profit(reading: CurveReading, now: datetime, as_loaded: datetime | None) -> float | None:
    held = [Position(POWER, "Nov-24", mwh=10.0)]
    question = PositionsQuestion(now, held, FRIDAY, MONDAY, as_loaded=as_loaded, currency="USD")
    amount = (await explain_positions(reading, question)).changes[0].amount
    return None if amount is None else float(amount.total)


READS: Mapping[str, Read] = {
    "quotes": _quoted,
    "diff": _moved,
    "strips": _strip,
    "continuous": _continuous,
    "explain": _explained,
    "positions": _profit,
}


@pytest.mark.parametrize("name", READS)
async def test_the_rates_are_those_that_were_loaded_by_then(store: Store, name: str) -> None:
    quotes = quotes_file({POWER: {FRIDAY: settled(("Nov-24", 90.0)), MONDAY: settled(("Nov-24", 100.0))}})
    reading = await spread_reading(store, quotes, rates_file("USD", {FRIDAY: 1.1, MONDAY: 1.1}))
    before = await store.loaded.latest()
    await store.loader.load(rates_file("USD", {MONDAY: 1.2}))
    now = SystemClock().now()
    assert await READS[name](reading, now, before) == pytest.approx(110.0)
    assert await READS[name](reading, now, None) == pytest.approx(120.0)


async def test_quotes_that_need_no_conversion_stay_where_another_curve_that_does_has_none(store: Store) -> None:
    reading = await spread_reading(
        store, quotes_file({POWER: {MONDAY: settled(("Nov-24", 100.0))}}), rates_file("USD", {MONDAY: 1.1})
    )
    products = [await curve_of(reading, key) for key in (POWER, COAL)]
    plan = await plan_quotes(reading, products, QuotesQuestion(SystemClock().now(), MONDAY, currency="EUR"))
    assert (await read_quotes(reading, plan)).frame["settle"].to_list() == [100.0]
