"""Reads of the store that explanations need: as many for many curves as for one."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from curve_quotes import counted
from spread_quotes import COAL, KNOWN, WTI, quotes_file, rates_file, settled, spread_reading

from aurum.services.curves import curves_of
from aurum.services.curves.explain import ExplainQuestion, plan_explain, read_explain
from aurum.services.curves.explain_positions import Position, PositionsQuestion, explain_positions
from aurum.storage.testing.stores import Store

FRIDAY, MONDAY = date(2024, 10, 11), date(2024, 10, 14)
NOW = datetime(2024, 10, 20, tzinfo=UTC)


async def test_many_curves_are_explained_by_as_many_reads_as_one(store: Store) -> None:
    coal, oil = ({day: settled(("Jan-25", price)) for day, price in of_day} for of_day in (
        ((FRIDAY, 110.0), (MONDAY, 112.0)), ((FRIDAY, 80.0), (MONDAY, 79.5)),
    ))  # fmt: skip
    # Each becomes known at times of its own, so the prices of Friday are those of two states.
    reading = await spread_reading(
        store,
        quotes_file({COAL: {FRIDAY: coal[FRIDAY]}}, known_at=KNOWN - timedelta(days=3)),
        quotes_file({COAL: {MONDAY: coal[MONDAY]}}, known_at=KNOWN),
        quotes_file({WTI: {FRIDAY: oil[FRIDAY]}}, known_at=KNOWN - timedelta(days=3, hours=2)),
        quotes_file({WTI: {MONDAY: oil[MONDAY]}}, known_at=KNOWN - timedelta(hours=2)),
    )
    counts: list[Counter[str]] = []
    for keys in ([COAL], [COAL, WTI]):
        with_counts, calls = counted(reading)
        products = await curves_of(with_counts, keys)
        calls.clear()
        answer = await read_explain(
            with_counts, await plan_explain(with_counts, products, ExplainQuestion(NOW, FRIDAY, MONDAY))
        )
        totals = {str(product.product.key): one.explained.total for product, one in answer.changes if str(one.tenor) == "M+3"}
        assert totals == {key: {COAL: 2.0, WTI: -0.5}[key] for key in keys}
        assert len({one.then for one in answer.curves}) == len(keys)
        counts.append(calls)
    assert counts[0] == counts[1]
    assert counts[0].total() > 0


@pytest.mark.parametrize("is_newest", [True, False])
async def test_the_change_of_one_trade_date_is_its_corrections_since_its_first_quotes(store: Store, is_newest: bool) -> None:
    files = [
        quotes_file({COAL: {FRIDAY: settled(("Jan-25", price))}}, known_at=KNOWN + timedelta(hours=hours))
        for hours, price in ((0, 110.0), (2, 111.5), (4, 111.25))
    ]
    if not is_newest:
        files.append(quotes_file({COAL: {MONDAY: settled(("Jan-25", 90.0))}}, known_at=KNOWN + timedelta(days=3)))
    reading = await spread_reading(store, *files)
    products = await curves_of(reading, [COAL])
    for as_of_a, correction in ((None, 1.25), (KNOWN + timedelta(hours=3), -0.25)):
        question = ExplainQuestion(NOW, FRIDAY, FRIDAY, as_of_a=as_of_a)
        (made,) = (await read_explain(reading, await plan_explain(reading, products, question))).curves
        parts = [one.explained.components for one in made.changes]
        assert [part.numbers()["correction"] for part in parts if part is not None] == [correction]
        assert made.then.as_of == (as_of_a or KNOWN)
    held = [Position(COAL, "Jan-25", volume=10.0)]
    answer = await explain_positions(reading, PositionsQuestion(NOW, held, FRIDAY, FRIDAY))
    amounts = [one.amount.numbers() for one in answer.changes if one.amount is not None]
    assert [one["correction"] for one in amounts] == [12.5]


async def test_quotes_and_rates_are_read_once_for_all_curves(store: Store) -> None:
    first, second = (
        {COAL: {day: settled(("Jan-25", price))}, WTI: {day: settled(("Jan-25", price - 30))}}
        for day, price in ((FRIDAY, 110.0), (MONDAY, 112.0))
    )
    reading = await spread_reading(
        store,
        quotes_file(first, known_at=KNOWN - timedelta(days=2)),
        quotes_file(second),
        rates_file("USD", {FRIDAY: 1.25, MONDAY: 1.25}),
    )
    held = [Position(COAL, "Jan-25", volume=10.0), Position(WTI, "Jan-25", volume=100.0)]
    counts: list[Counter[str]] = []
    for some in (held[:1], held):
        with_counts, calls = counted(reading)
        answer = await explain_positions(with_counts, PositionsQuestion(NOW, some, FRIDAY, MONDAY, currency="EUR"))
        amounts = [None if one.amount is None else float(one.amount.total) for one in answer.changes]
        assert amounts == pytest.approx([16.0, 160.0][: len(some)])
        counts.append(calls)
    for name in ("quotes", "versions", "trade_dates", "observations"):
        assert counts[0][name] == counts[1][name] > 0, name
