"""Exchange rates of trade dates: one rule for every reader of curves, and no price at the rate of another day in silence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from spread_quotes import COAL, EURUSD, NBP, POWER, quotes_file, rates_file, settled, spread_reading

from aurum.core.curves.spread_factors import SpreadParameters
from aurum.core.errors import InvalidParameters
from aurum.services.curves import (
    CurveReading,
    DiffQuestion,
    QuotesQuestion,
    StripsQuestion,
    curves_of,
    plan_diff,
    plan_quotes,
    plan_strips,
    read_diff,
    read_quotes,
    read_strips,
)
from aurum.services.curves.continuous import ContinuousQuestion, plan_continuous, read_continuous
from aurum.services.curves.explain_positions import Position, PositionsQuestion, explain_positions
from aurum.services.curves.known import Known
from aurum.services.curves.prices import conversions_of, converted, exchanges_on
from aurum.services.curves.spread_question import FxKind, FxQuestion, LegQuestion, SpreadQuestion
from aurum.services.curves.spreads import plan_spread, read_spread
from aurum.storage.testing.stores import Store

FRIDAY, MONDAY, TUESDAY = date(2024, 10, 11), date(2024, 10, 14), date(2024, 10, 15)
NOW = datetime(2024, 10, 21, tzinfo=UTC)
COAL_QUOTES = settled(("Nov-24", 108.0), ("Q1-25", 110.0))


async def quotes(reading: CurveReading) -> object:
    """Read the quotes of both trade dates, as histories do."""
    question = QuotesQuestion(NOW, first=FRIDAY, last=MONDAY, currency="EUR")
    return await read_quotes(reading, await plan_quotes(reading, await curves_of(reading, [COAL]), question))


async def strips(reading: CurveReading) -> object:
    (coal,) = await curves_of(reading, [COAL])
    plan = await plan_strips(reading, coal, StripsQuestion(NOW, ["Q1-25"], MONDAY, currency="EUR"))
    return await read_strips(reading, plan)


async def moves(reading: CurveReading) -> object:
    question = DiffQuestion(NOW, FRIDAY, MONDAY, currency="EUR")
    return await read_diff(reading, await plan_diff(reading, await curves_of(reading, [COAL]), question))


async def continuous(reading: CurveReading) -> object:
    (coal,) = await curves_of(reading, [COAL])
    return await read_continuous(reading, await plan_continuous(reading, coal, ContinuousQuestion(NOW, "M+1", currency="EUR")))


async def positions(reading: CurveReading) -> object:
    held = [Position(COAL, "Nov-24", volume=1_000.0)]
    return await explain_positions(reading, PositionsQuestion(NOW, held, FRIDAY, MONDAY, currency="EUR"))


READERS: Mapping[str, Callable[[CurveReading], Awaitable[object]]] = {
    one.__name__: one for one in (quotes, strips, moves, continuous, positions)
}


async def reading_with(store: Store, rates: Mapping[date, float]) -> CurveReading:
    file = quotes_file({COAL: {FRIDAY: COAL_QUOTES, MONDAY: COAL_QUOTES}, POWER: {MONDAY: settled(("Q1-25", 90.0))}})
    return await spread_reading(store, file, rates_file("USD", rates))


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
async def test_a_trade_date_without_its_rate_is_refused_although_the_day_before_has_one(
    store: Store, reader: Callable[[CurveReading], Awaitable[object]]
) -> None:
    reading = await reading_with(store, {FRIDAY: 1.1, TUESDAY: 1.2})
    with pytest.raises(InvalidParameters, match="no rate USD to EUR for 2024-10-14: load the ECB's reference rates") as refused:
        await reader(reading)
    (error,) = refused.value.facts["errors"]  # type: ignore[misc]
    assert (error["field"], error["value"]) == ("currency", "EUR")
    assert (refused.value.facts["pair"], refused.value.facts["trade_date"]) == ("EURUSD", "2024-10-14")
    await store.loader.load(rates_file("USD", {MONDAY: 1.15}))
    assert await reader(reading)


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
async def test_a_rate_that_is_not_published_yet_is_named_as_such(
    store: Store, reader: Callable[[CurveReading], Awaitable[object]]
) -> None:
    reading = await reading_with(store, {FRIDAY: 1.1})
    with pytest.raises(InvalidParameters, match=r"for 2024-10-14: it is not published yet, or not loaded; .* is of 2024-10-11"):
        await reader(reading)


async def test_after_the_last_rate_of_a_pair_its_day_is_named(store: Store) -> None:
    ended = date(2024, 8, 1)
    reading = await reading_with(store, {ended: 1.1})
    why = r"no rate USD to EUR for 2024-10-14: the last rate of EURUSD is of 2024-08-01: load later ones if the ECB publishes "
    with pytest.raises(InvalidParameters, match=f"{why}them, or choose another currency or trade date") as refused:
        await strips(reading)
    assert refused.value.facts["last_rate"] == "2024-08-01"


async def test_a_rate_is_that_known_at_the_question(store: Store) -> None:
    reading = await reading_with(store, {FRIDAY: 1.1, MONDAY: 1.15})
    products = await curves_of(reading, [COAL])
    before = "2024-10-14T12:00:00Z"  # the rate of a day is known in its afternoon
    conversions = await conversions_of(reading, products, None, "EUR")
    frame = pl.DataFrame({"curve_id": [products[0].curve_id], "trade_date": [MONDAY], "settle": [110.0]}).cast(
        {"curve_id": pl.Int32}
    )
    known = Known.parse(before, None, now=NOW)
    with pytest.raises(InvalidParameters, match="not published yet"):
        await converted(reading, frame, conversions, known=known)
    assert await exchanges_on(reading, conversions, [MONDAY], known) == []
    (priced,) = (await converted(reading, frame, conversions, known=Known()))["settle"]
    assert priced == pytest.approx(110.0 / 1.15)


async def test_a_holiday_of_target_has_the_rate_of_the_day_before_it_and_no_older_one(store: Store) -> None:
    thursday, easter_monday = date(2025, 4, 17), date(2025, 4, 21)
    file = quotes_file({COAL: {easter_monday: COAL_QUOTES}})
    reading = await spread_reading(store, file, rates_file("USD", {date(2025, 4, 16): 1.1, date(2025, 4, 22): 1.3}))
    products = await curves_of(reading, [COAL])
    question = QuotesQuestion(NOW, easter_monday, currency="EUR")
    plan = await plan_quotes(reading, products, question)
    with pytest.raises(InvalidParameters, match="no rate USD to EUR for 2025-04-21"):
        await read_quotes(reading, plan)
    await store.loader.load(rates_file("USD", {thursday: 1.2}))
    plan = await plan_quotes(reading, products, question)
    assert (await read_quotes(reading, plan)).frame["settle"].to_list() == pytest.approx([90.0, 110.0 / 1.2])
    assert await exchanges_on(reading, plan.conversions, [easter_monday, None], plan.known) == [
        {"pair": "EURUSD", "trade_date": easter_monday, "rate": pytest.approx(1.2), "date": thursday}
    ]


async def test_a_pair_without_the_euro_needs_both_rates_of_the_day(store: Store) -> None:
    file = quotes_file({NBP: {FRIDAY: settled(("Nov-24", 100.0)), MONDAY: settled(("Nov-24", 101.0))}})
    dollars = rates_file("USD", {FRIDAY: 1.1, TUESDAY: 1.2})
    pounds = rates_file("GBP", {FRIDAY: 0.8, MONDAY: 0.9, TUESDAY: 0.9})
    reading = await spread_reading(store, file, dollars, pounds)
    products = await curves_of(reading, [NBP])
    question = QuotesQuestion(NOW, MONDAY, unit="USD/therm")
    with pytest.raises(InvalidParameters, match="no rate GBP to USD for 2024-10-14"):
        await read_quotes(reading, await plan_quotes(reading, products, question))
    legs = {"nbp": LegQuestion(NBP, period="Nov-24")}
    spread = SpreadQuestion(NOW, "custom", legs, trade_date=MONDAY, unit="USD/therm")
    with pytest.raises(InvalidParameters, match="no rate GBP to USD for 2024-10-14"):
        await read_spread(reading, await plan_spread(reading, spread))
    await store.loader.load(rates_file("USD", {MONDAY: 1.15}))
    plan = await plan_quotes(reading, products, question)
    assert (await read_quotes(reading, plan)).frame["settle"].to_list() == pytest.approx([1.01 / 0.9 * 1.15])
    (exchange,) = await exchanges_on(reading, plan.conversions, [MONDAY], plan.known)
    assert (exchange["pair"], exchange["date"]) == ("GBPUSD", MONDAY)
    answer = await read_spread(reading, await plan_spread(reading, spread))
    assert answer.frame["value"].to_list() == pytest.approx([1.01 / 0.9 * 1.15])


async def test_only_curves_that_are_exchanged_need_a_rate(store: Store) -> None:
    file = quotes_file({COAL: {FRIDAY: COAL_QUOTES}, POWER: {MONDAY: settled(("Q1-25", 90.0))}})
    reading = await spread_reading(store, file, rates_file("USD", {FRIDAY: 1.1}))
    question = QuotesQuestion(NOW, first=FRIDAY, last=MONDAY, currency="EUR")
    answer = await read_quotes(reading, await plan_quotes(reading, await curves_of(reading, [COAL, POWER]), question))
    assert answer.frame["settle"].to_list() == pytest.approx([108.0 / 1.1, 110.0 / 1.1, 90.0])


async def test_a_forward_rate_of_zero_is_no_rate(store: Store) -> None:
    rates = settled(("Nov-24", 0.0), ("Q1-25", 1.1))
    file = quotes_file(
        {COAL: {MONDAY: COAL_QUOTES}, EURUSD: {MONDAY: rates}, POWER: {MONDAY: settled(("Nov-24", 90.0), ("Q1-25", 90.0))}}
    )
    reading = await spread_reading(store, file)
    question: dict[str, Any] = {
        "legs": {"power": LegQuestion(POWER), "coal": LegQuestion(COAL)},
        "periods": ["Nov-24", "Q1-25"],
        "parameters": SpreadParameters(efficiency=0.38),
        "fx": FxQuestion(FxKind.CURVE, curve=EURUSD),
    }
    answer = await read_spread(reading, await plan_spread(reading, SpreadQuestion(NOW, "dark", trade_date=MONDAY, **question)))
    assert answer.frame["value"].to_list() == [None, pytest.approx(90.0 - 110.0 / 1.1 / 6.978 / 0.38)]
    assert answer.frame["reason"].to_list() == [f"coal: exchange rate {EURUSD}: 0.0 is not above zero", None]
