"""Curves that a broker quotes by bid and ask alone: their price is the mean, and every answer says so."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from curve_quotes import BASE, curve_reading, history_file, reading_of_tenant, session_file

from aurum.core.curves.diff import DiffOrder
from aurum.core.curves.quotes import PriceFrom
from aurum.core.errors import InvalidParameters
from aurum.services.curves import CurveReading, DiffQuestion, Side, StripsQuestion, curves_of, plan_diff, read_diff
from aurum.services.curves.build import build
from aurum.services.curves.build_question import BuildQuestion
from aurum.services.curves.continuous import ContinuousQuestion, plan_continuous, read_continuous
from aurum.services.curves.explain import CurveChanges, ExplainQuestion, plan_explain, read_explain
from aurum.services.curves.explain_positions import Position, PositionsQuestion, explain_positions
from aurum.services.curves.marks import (
    ComparisonQuestion,
    NewCurveSet,
    SetMarks,
    Tolerance,
    compare_set,
    create_set,
    plan_set,
    read_set,
)
from aurum.services.curves.strips import PeriodStrip, plan_strips, read_strips
from aurum.storage.ports.access import Actor
from aurum.storage.testing.stores import Store

BROKER = "power:XX:base:BROKER"
FRIDAY, MONDAY = date(2024, 10, 11), date(2024, 10, 14)
NOW = datetime(2024, 10, 16, tzinfo=UTC)
ANNA = Actor("key:1", "acme", person="owner:Anna")
MONTHS = [(date(2024, 11, 1), date(2024, 12, 1)), (date(2024, 12, 1), date(2025, 1, 1)), (date(2025, 1, 1), date(2025, 2, 1))]
QUOTES = pl.DataFrame(
    [
        (day, *month, settle, bid, ask)
        for day, price in ((FRIDAY, 90.0), (MONDAY, 92.0))
        for month, (settle, bid, ask) in zip(
            MONTHS, [(None, price - 1, price + 1.5), (price + 5, price, price + 1), (None, price, None)], strict=True
        )
    ],
    {
        "trade_date": pl.Date,
        "delivery_start": pl.Date,
        "delivery_end": pl.Date,
        "settle": pl.Float64,
        "bid": pl.Float64,
        "ask": pl.Float64,
    },
    orient="row",
)
"""November by bid and ask, December with a settlement, January by a bid alone."""


async def broker_reading(store: Store) -> CurveReading:
    return await curve_reading(store, history_file(BROKER, QUOTES))


async def marks_of(store: Store, curve: str) -> tuple[CurveReading, SetMarks]:
    """Return the readers of a tenant, and the marks of a set of one curve."""
    shared = await curve_reading(store, history_file(BROKER, QUOTES), tenants={"power:XX:base:OWN": "acme"})
    reading = reading_of_tenant(store, shared, "acme")
    new = NewCurveSet("marks", MONDAY, (curve,))
    one = await create_set(store.transactions, store.curve_sets, reading, new, by=ANNA, now=NOW)
    return reading, await read_set(reading, store.curve_sets, await plan_set(reading, store.curve_sets, one.set_id, now=NOW))


@pytest.mark.parametrize(
    ("field", "november", "december"),
    [
        ("price", (90.25, 92.25, 2.0, "both", "mid", "mid"), (95.0, 97.0, 2.0, "both", "settle", "settle")),
        ("settle", (None, None, None, "unpriced", None, None), (95.0, 97.0, 2.0, "both", None, None)),
        ("mid", (90.25, 92.25, 2.0, "both", None, None), (90.5, 92.5, 2.0, "both", None, None)),
    ],
)
async def test_moves_have_the_mean_and_say_so(
    store: Store, field: str, november: tuple[object, ...], december: tuple[object, ...]
) -> None:
    reading = await broker_reading(store)
    question = DiffQuestion(NOW, field=field, order=DiffOrder.DELIVERY)
    answer = await read_diff(reading, await plan_diff(reading, await curves_of(reading, [BROKER]), question))
    rows = answer.frame.select("a", "b", "move", "status", "a_from", "b_from").rows()
    assert rows == [november, december, (None, None, None, "unpriced", None, None)]
    assert [label for _, label in answer.mids] == (["Nov-24"] if field == "price" else [])
    assert DiffQuestion(NOW).field == "price", "as of explanations and continuous series"


async def test_marks_have_the_mean_and_name_it_as_their_source(store: Store) -> None:
    _, made = await marks_of(store, BROKER)
    assert made.frame.select("label", "quoted", "value", "source", "flags").rows() == [
        ("Nov-24", None, 92.25, "mid", ""),
        ("Dec-24", 97.0, 97.0, "quote", ""),
        ("Jan-25", None, None, None, "unpriced"),
    ]


async def test_a_continuous_series_has_the_mean_unless_a_field_is_named(store: Store) -> None:
    reading = await broker_reading(store)
    product = await reading.curves.product(BROKER, tenant=None)

    async def rows(front: str, **more: Any) -> list[tuple[object, ...]]:
        answer = await read_continuous(reading, await plan_continuous(reading, product, ContinuousQuestion(NOW, front, **more)))
        return answer.frame.select("price", "move", "price_from", "reason").rows()

    assert await rows("M+1") == [(90.25, None, "mid", None), (92.25, 2.0, "mid", None)]
    assert await rows("M+2") == [(95.0, None, "settle", None), (97.0, 2.0, "settle", None)]
    assert await rows("M+3") == [(None, None, None, "unpriced")] * 2
    assert await rows("M+1", field="settle") == [(None, None, None, "unpriced")] * 2
    assert await rows("M+1", field="bid") == [(89.0, None, None, None), (91.0, 2.0, None, None)]
    with pytest.raises(InvalidParameters, match="must be one of price, settle"):
        await rows("M+1", field="volume_mwh")


async def explained(reading: CurveReading, **more: Any) -> CurveChanges:
    product = await reading.curves.product(BROKER, tenant=None)
    plan = await plan_explain(reading, [product], ExplainQuestion(NOW, FRIDAY, MONDAY, **more))
    return (await read_explain(reading, plan)).curves[0]


async def test_an_explanation_names_the_periods_that_have_the_mean(store: Store) -> None:
    reading = await broker_reading(store)
    answer = await explained(reading)
    assert [one.explained.total for one in answer.changes] == [2.0, 2.0, None]
    assert answer.mids == ["Nov-24"]
    settlements = await explained(reading, field="settle")
    assert ([one.explained.total for one in settlements.changes], settlements.mids) == ([None, 2.0, None], [])
    positions = [Position(BROKER, "Nov-24", mwh=10.0), Position(BROKER, "Dec-24", mwh=10.0)]
    held = await explain_positions(reading, PositionsQuestion(NOW, positions, FRIDAY, MONDAY))
    assert [None if one.amount is None else float(one.amount.total) for one in held.changes] == [20.0, 20.0]
    assert [one.mids for one in held.curves] == [["Nov-24"]]


async def strip_of(reading: CurveReading, period: str, side: Side = Side.SETTLE) -> PeriodStrip:
    product = await reading.curves.product(BROKER, tenant=None)
    (made,) = await read_strips(reading, await plan_strips(reading, product, StripsQuestion(NOW, [period], MONDAY, side=side)))
    return made


async def test_a_strip_of_means_says_so(store: Store) -> None:
    reading = await broker_reading(store)
    both = await strip_of(reading, "2024-11-01..2025-01-01")
    assert (both.value, both.price_from) == (pytest.approx((92.25 * 720 + 97.0 * 744) / 1464), PriceFrom.MID)
    assert (await strip_of(reading, "Dec-24")).price_from is PriceFrom.SETTLE
    bid = await strip_of(reading, "Nov-24", Side.BID)
    assert (bid.value, bid.price_from) == (91.0, None)
    none = await strip_of(reading, "Jan-25")
    assert (none.value, none.price_from) == (None, None)


async def test_a_build_takes_the_same_prices(store: Store) -> None:
    answer = await build(await broker_reading(store), BuildQuestion(BROKER, trade_date=MONDAY, periods=("Nov-24", "Dec-24")))
    assert [one.value for one in answer.periods] == pytest.approx([92.25, 97.0], abs=1e-9)
    report: Any = answer.documents(["report"])["report"]
    assert report["mids"] == ["Nov-24"]


async def test_marks_are_compared_with_the_mean_and_the_comparison_says_so(store: Store) -> None:
    await curve_reading(store, session_file(BASE, MONDAY, [("Nov-24", 92.0), ("Dec-24", 90.0)]))
    reading, made = await marks_of(store, BASE)
    question = ComparisonQuestion(NOW, venue="BROKER", default=Tolerance(0.5))
    compared = await compare_set(reading, store.derived_curves, made, question)
    assert compared.frame.select("label", "other", "method", "price_from", "is_breach").rows() == [
        ("Dec-24", 97.0, "quoted", "settle", True),
        ("Nov-24", 92.25, "quoted", "mid", False),
    ]
