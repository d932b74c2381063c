"""Reads of the store for answers about one curve: no more than they need, and none of quotes for an entity tag."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from curve_quotes import BASE, BY, counted, curve_reading, history_file, product_of, session_file

from aurum.core.curves import continuous as core
from aurum.core.errors import InvalidParameters
from aurum.services.curves import CurveReading, continuous, plan_curve, read_curve
from aurum.services.curves.continuous import ContinuousAnswer, ContinuousQuestion, plan_continuous, read_continuous
from aurum.storage.testing.stores import Store

NOW = datetime(2024, 11, 1, tzinfo=UTC)
MONDAY = date(2024, 10, 14)
DAY = timedelta(days=1)


async def series(reading: CurveReading, front: str) -> ContinuousAnswer:
    product = await reading.curves.product(BASE, tenant=None)
    return await read_continuous(reading, await plan_continuous(reading, product, ContinuousQuestion(NOW, front)))


async def with_days(store: Store, *ahead: int) -> CurveReading:
    """Return the readers of a curve that quotes some days ahead, and a year, on each of three trade dates."""
    spans = [(MONDAY + DAY * place, MONDAY + DAY * (place + one)) for place in range(3) for one in ahead]
    rows = [(day, first, first + DAY, 50.0) for day, first in spans]
    rows += [(MONDAY + DAY * place, date(2025, 1, 1), date(2026, 1, 1), 80.0) for place in range(3)]
    schema = {"trade_date": pl.Date, "delivery_start": pl.Date, "delivery_end": pl.Date, "settle": pl.Float64}
    return await curve_reading(store, history_file(BASE, pl.DataFrame(rows, schema=schema, orient="row")))


async def test_finer_quotes_are_looked_for_only_where_there_may_be_any(store: Store) -> None:
    reading, calls = counted(await with_days(store, 2))
    answer = await series(reading, "DA")
    assert answer.frame["reason"].to_list() == ["not_quoted"] * 3
    assert calls["quotes"] == 1, "nothing is finer than a day"
    weekend = await series(reading, "WE")
    assert weekend.frame["reason"].to_list() == ["not_quoted"] * 3
    assert calls["quotes"] == 3


async def test_finer_quotes_are_compared_beside_the_event_loop(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []

    def noted(*arguments: Any) -> pl.DataFrame:
        threads.append(threading.get_ident())
        return core.with_finer(*arguments)

    monkeypatch.setattr(continuous, "with_finer", noted)
    answer = await series(await with_days(store, *range(1, 7)), "WE")
    # The days of the weekend are quoted on each of the three days before it.
    assert answer.frame["reason"].to_list() == ["covered_by_finer"] * 3
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_trade_dates_with_too_many_quotes_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = await with_days(store, *range(1, 7))
    monkeypatch.setattr(continuous, "_MOST_QUOTES", 20)
    with pytest.raises(InvalidParameters, match=r"from: .* more than 20 quotes"):
        await series(reading, "W+1")
    monkeypatch.setattr(continuous, "_MOST_QUOTES", 21)
    assert (await series(reading, "W+1")).frame["reason"].to_list() == ["not_quoted"] * 3


async def test_what_a_description_depends_on_needs_no_quote(store: Store) -> None:
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.put_product(replace(product_of(BASE), sessions="XEEE"), tenant=None)
    file = session_file(BASE, MONDAY, [("2024-11", 90.84), ("Q1-25", 98.31)])
    reading, calls = counted(await curve_reading(store, file))
    plan = await plan_curve(reading, BASE)
    assert (calls["quotes"], calls["trade_dates"]) == (0, 0)
    facts = await read_curve(reading, plan, by_kind=True)
    assert [str(one.kind) for one in facts.kinds] == ["month", "quarter"]
    assert (calls["quotes"], calls["trade_dates"]) == (1, 1)
    await store.loader.load(session_file(BASE, MONDAY + DAY, [("2024-11", 91.0)]))
    assert (await plan_curve(reading, BASE)).versions != plan.versions
    whole = (await read_curve(reading, await plan_curve(reading, BASE))).completeness
    assert whole is not None
    assert whole.received == 2


async def test_kinds_of_a_curve_with_too_many_quotes_are_not_counted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.put_product(replace(product_of(BASE), sessions="XEEE"), tenant=None)
    reading = await curve_reading(store, session_file(BASE, MONDAY, [("2024-11", 90.84), ("Q1-25", 98.31)]))
    monkeypatch.setattr("aurum.services.curves.completeness._MOST_QUOTES", 1)
    plan = await plan_curve(reading, BASE)
    with pytest.raises(InvalidParameters, match="more than 1 quotes"):
        await read_curve(reading, plan, by_kind=True)
    assert (await read_curve(reading, plan)).kinds == ()
