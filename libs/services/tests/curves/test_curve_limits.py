"""Answers with too many quotes are refused before all of them are read, and searches by pattern are bounded."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from curve_quotes import BASE, curve_reading, session_file

from aurum.core.errors import InvalidParameters
from aurum.services.curves import QuotesQuestion, curves_of, plan_quotes, read_quotes
from aurum.storage.testing.stores import Store

NOW = datetime(2024, 10, 15, tzinfo=UTC)
DAY = date(2024, 10, 14)
QUOTES = [("2024-11", 90.84), ("2024-12", 92.5), ("Q1-25", 98.31), ("Q2-25", 78.48), ("2026", 80.0)]


@pytest.mark.parametrize("known", [{}, {"as_of": datetime(2024, 6, 1, tzinfo=UTC)}, {"as_loaded": "latest"}])
async def test_more_quotes_than_an_answer_may_have_are_not_read(store: Store, known: dict[str, Any]) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, QUOTES))
    if known.get("as_loaded") == "latest":
        known = {"as_loaded": await store.loaded.latest()}
    products = [await reading.curves.product(BASE, tenant=None)]
    plan = await plan_quotes(reading, products, QuotesQuestion(NOW, first=date(2024, 1, 1), **known))
    assert (await read_quotes(reading, plan, most=5)).frame.height == 5
    for most in (4, 1):
        with pytest.raises(InvalidParameters, match=f"more than {most} quotes") as refused:
            await read_quotes(reading, plan, most=most)
        assert refused.value.facts["errors"][0]["field"] == "from"  # type: ignore[index]
    day = await plan_quotes(reading, products, QuotesQuestion(NOW, DAY, **known))
    with pytest.raises(InvalidParameters) as refused:
        await read_quotes(reading, day, most=1)
    assert refused.value.facts["errors"][0]["field"] == "curves"  # type: ignore[index]


async def test_kinds_are_chosen_before_rows_are_counted(store: Store) -> None:
    reading = await curve_reading(store, session_file(BASE, DAY, QUOTES))
    products = [await reading.curves.product(BASE, tenant=None)]
    plan = await plan_quotes(reading, products, QuotesQuestion(NOW, DAY, kinds=("quarter",)))
    assert (await read_quotes(reading, plan, most=2)).frame.height == 2


async def test_patterns_are_bounded(store: Store) -> None:
    reading = await curve_reading(store)
    with pytest.raises(InvalidParameters, match="51 patterns"):
        await curves_of(reading, [f"power:X{number}:*" for number in range(51)])
