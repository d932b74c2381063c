"""Sessions of continuous series: those without quotes in the requested span, and days that were traded though called closed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from curve_quotes import BY, curve_reading, history_file

from aurum.common.clock import SystemClock
from aurum.core.curves.product_documents import default_products
from aurum.services.curves.continuous import ContinuousAnswer, ContinuousQuestion, plan_continuous, read_continuous
from aurum.storage.memory import MemoryStore

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POWER = "power:DE:base:EEX"


def quoted(days: list[date], *deliveries: tuple[date, date]) -> pl.DataFrame:
    rows = [(day, first, end, 100.0 + place) for place, (first, end) in enumerate(deliveries) for day in days]
    return pl.DataFrame(rows, ["trade_date", "delivery_start", "delivery_end", "settle"], orient="row")


async def answered(quotes: pl.DataFrame, front: str, **more: Any) -> ContinuousAnswer:
    store = MemoryStore(SystemClock())
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.put_product(next(one for one in default_products() if str(one.key) == POWER), tenant=None)
    reading = await curve_reading(store, history_file(POWER, quotes))
    product = await reading.curves.product(POWER, tenant=None)
    return await read_continuous(reading, await plan_continuous(reading, product, ContinuousQuestion(NOW, front, **more)))


@pytest.mark.parametrize(
    ("first", "last", "missing"),
    [
        (None, None, [date(2024, 10, day) for day in (9, 8, 7, 4)]),
        (date(2024, 10, 7), date(2024, 10, 14), [date(2024, 10, day) for day in (9, 8, 7)]),
        (date(2024, 10, 1), date(2024, 10, 8), [date(2024, 10, day) for day in (8, 7, 4)]),
        (date(2024, 10, 4), date(2024, 10, 9), [date(2024, 10, day) for day in (9, 8, 7, 4)]),
        (date(2024, 1, 1), date(2024, 10, 3), []),
        (date(2024, 10, 11), date(2024, 12, 31), []),
    ],
)
async def test_sessions_without_quotes_are_those_of_the_requested_span(
    first: date | None, last: date | None, missing: list[date]
) -> None:
    days = [date(2024, 10, day) for day in (1, 2, 3, 10, 11, 14)]
    november = (date(2024, 11, 1), date(2024, 12, 1))
    answer = await answered(quoted(days, november), "M+1", first=first, last=last)
    assert answer.sessions is not None
    assert (answer.sessions.count, list(answer.sessions.newest)) == (len(missing), missing)


@pytest.mark.parametrize(("roll", "last"), [("last_trading_day", 29), ("days_before:1", 28), ("calendar", 31)])
async def test_a_day_with_quotes_is_a_session_of_a_roll_though_its_calendar_calls_it_closed(roll: str, last: int) -> None:
    days = [date(2021, 12, 20) + timedelta(days=day) for day in range(12)]
    weekdays = [day for day in days if day.isoweekday() < 6 and day != date(2021, 12, 24)]
    quarters = ((date(2022, 1, 1), date(2022, 4, 1)), (date(2022, 4, 1), date(2022, 7, 1)))
    answer = await answered(quoted([*weekdays, date(2022, 1, 3)], *quarters), "Q+1", roll=roll)
    (rolled,) = answer.rolls
    assert (rolled.old.period.label, rolled.last) == ("Q1-22", date(2021, 12, last))


async def test_without_those_quotes_the_calendar_stands() -> None:
    days = [date(2021, 12, day) for day in (20, 21, 22, 23, 27, 28, 29, 30)]
    quarters = ((date(2022, 1, 1), date(2022, 4, 1)), (date(2022, 4, 1), date(2022, 7, 1)))
    answer = await answered(quoted(days, *quarters), "Q+1", roll="last_trading_day")
    assert answer.rolls[0].last == date(2021, 12, 28)
