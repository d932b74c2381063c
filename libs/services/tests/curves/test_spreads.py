"""Spreads of stored quotes: units, exchange rates, sides, alignment, spans of trade dates, corrections and tenants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from curve_quotes import reading_of_tenant
from spread_quotes import (
    COAL,
    EUA,
    EURUSD,
    GAS,
    GASOIL,
    KNOWN,
    NBP,
    POWER,
    RBOB,
    ULSD,
    WTI,
    quotes_file,
    rates_file,
    settled,
    spread_reading,
)

from aurum.common.clock import SystemClock
from aurum.core.curves.spread_factors import SpreadParameters
from aurum.core.curves.spreads import Alignment, SpreadSide
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.services.curves import CurveReading, spread_legs, spread_plan
from aurum.services.curves.spread_facts import spread_facts
from aurum.services.curves.spread_question import FxKind, FxQuestion, LegQuestion, SpreadQuestion
from aurum.services.curves.spreads import SpreadAnswer, plan_spread, read_spread
from aurum.services.curves.strip_builds import derived_price
from aurum.storage.testing.stores import Store

FRIDAY, MONDAY = date(2024, 10, 11), date(2024, 10, 14)
NOW = datetime(2024, 10, 16, tzinfo=UTC)
RATE = FxQuestion(FxKind.RATE, rate=1.10, pair="EURUSD")
FORWARD = FxQuestion(FxKind.CURVE, curve=EURUSD)
POWER_QUOTES = [
    ("Jan-25", 101.0, 102.0, 103.0),
    ("Feb-25", 103.0, 104.11, 105.0),
    ("Mar-25", 88.0, 89.37, 90.0),
    ("Q2-25", 78.0, 78.48, 79.0),
]
GAS_QUOTES = [("Q1-25", 39.5, 40.0, 40.5), ("Q2-25", 38.5, 39.0, 39.5)]
Q1_POWER = (102.0 * 744 + 104.11 * 672 + 89.37 * 743) / 2159
SPARK = {"power": LegQuestion(POWER), "gas": LegQuestion(GAS)}
NONE: dict[str, Any] = {"periods": [], "parameters": SpreadParameters()}
HALF = SpreadParameters(efficiency=0.5)


def value(price: float, unit: str, **more: Any) -> LegQuestion:
    return LegQuestion(value=price, unit=unit, **more)


async def answer_of(reading: CurveReading, template: str, legs: Mapping[str, LegQuestion], **terms: Any) -> SpreadAnswer:
    question = SpreadQuestion(**({"now": NOW, "template": template, "legs": legs, "trade_date": MONDAY} | terms))
    return await read_spread(reading, await plan_spread(reading, question))


async def values_of(reading: CurveReading, template: str, legs: Mapping[str, LegQuestion], **terms: Any) -> list[float | None]:
    return (await answer_of(reading, template, legs, **terms)).frame["value"].to_list()


async def refused(reading: CurveReading, template: str, legs: Mapping[str, LegQuestion], **terms: Any) -> dict[str, Any]:
    with pytest.raises(InvalidParameters) as raised:
        await answer_of(reading, template, legs, **terms)
    (error,) = raised.value.facts["errors"]  # type: ignore[misc]
    return {**error, **{name: fact for name, fact in raised.value.facts.items() if name != "errors"}}


async def spark_reading(store: Store) -> CurveReading:
    return await spread_reading(store, quotes_file({POWER: {MONDAY: POWER_QUOTES}, GAS: {MONDAY: GAS_QUOTES}}))


async def test_a_spark_spread_is_made_of_strips(store: Store) -> None:
    reading = await spark_reading(store)
    answer = await answer_of(reading, "spark", SPARK, periods=["Q1-25", "Q2-25"], parameters=HALF)
    assert answer.frame["value"].to_list() == pytest.approx([Q1_POWER - 80.0, 78.48 - 78.0], abs=1e-9)
    power, gas = (one.frame for one in answer.legs)
    assert power["method"].to_list() == ["from_finer", "quoted"]
    assert gas["price"].to_list() == [40.0, 39.0]
    assert gas["contribution"].to_list() == pytest.approx([-80.0, -78.0])
    assert answer.frame["implied_heat_rate"].to_list() == pytest.approx([Q1_POWER / 40, 78.48 / 39])
    assert (str(answer.plan.unit), answer.plan.heat_rate_unit) == ("EUR/MWh", "MWh/MWh")


async def test_a_side_buys_one_leg_and_sells_the_other(store: Store) -> None:
    reading = await spark_reading(store)
    sides = [
        (await values_of(reading, "spark", SPARK, periods=["Q2-25"], parameters=HALF, side=side))[0] for side in SpreadSide
    ]
    settle, bid, ask, mid = sides
    assert (settle, bid, ask) == (pytest.approx(0.48), pytest.approx(78.0 - 79.0), pytest.approx(79.0 - 77.0))
    assert mid == pytest.approx((bid + ask) / 2)  # type: ignore[operator]


async def test_a_leg_without_a_price_is_named_with_its_reason(store: Store) -> None:
    file = quotes_file(
        {POWER: {MONDAY: POWER_QUOTES}, GAS: {MONDAY: [("Q1-25", None, 40.0, None), ("Q2-25", None, None, None)]}}
    )
    reading = await spread_reading(store, file)
    answer = await answer_of(reading, "spark", SPARK, periods=["Q1-25", "Q2-25", "2026"], parameters=HALF)
    first, second, third = answer.frame.rows(named=True)
    assert first["reason"] is None
    assert second["value"] is None
    assert second["reason"] == "gas: no priced quote covers any of Q2-25"
    assert third["reason"] == "power: no priced quote covers any of 2026; gas: no priced quote covers any of 2026"
    bid = await answer_of(reading, "spark", SPARK, periods=["Q1-25"], parameters=HALF, side=SpreadSide.ASK)
    assert bid.frame["reason"].to_list() == ["gas: bid: no priced quote covers any of Q1-25"]


async def test_a_quote_without_a_settlement_has_the_mean_of_its_bid_and_ask(store: Store) -> None:
    broker = [("Jan-25", 101.0, None, 103.0), ("Feb-25", 103.0, 104.0, 106.0), ("Mar-25", 88.0, None, 90.0)]
    quotes = {
        POWER: {MONDAY: [*broker, ("Q2-25", 78.0, 78.5, 80.0), ("Q3-25", 80.0, None, None), ("2026", 70.0, None, 72.0)]},
        GAS: {MONDAY: settled(("Q1-25", 40.0), ("Q2-25", 39.0), ("Q3-25", 38.0), ("Q1-26", 37.0))},
    }
    reading = await spread_reading(store, quotes_file(quotes))
    terms: dict[str, Any] = {"periods": ["Q1-25", "Q2-25", "Q3-25", "Q1-26"], "parameters": HALF}
    answer = await answer_of(reading, "spark", SPARK, **terms)
    power, gas = (one.frame for one in answer.legs)
    strip = (102.0 * 744 + 104.0 * 672 + 89.0 * 743) / 2159
    assert power["price"].to_list()[:3] == [pytest.approx(strip), 78.5, None]
    assert (power["method"][3], power["price_from"].to_list()) == ("from_build", ["mid", "settle", None, "mid"])
    assert gas["price_from"].to_list() == ["settle"] * 4
    bid = await answer_of(reading, "spark", SPARK, side=SpreadSide.BID, **terms)
    assert bid.legs[0].frame["price_from"].to_list() == [None] * 4


async def test_a_clean_spark_carries_december_allowances_flat(store: Store) -> None:
    allowances = settled(("Dec-24", 63.0), ("Dec-25", 65.0), ("Dec-26", 67.0))
    power = settled(("Q1-25", 90.84), ("Win-25", 95.0))
    gas = settled(("Q1-25", 40.0), ("Win-25", 42.0))
    reading = await spread_reading(store, quotes_file({POWER: {MONDAY: power}, GAS: {MONDAY: gas}, EUA: {MONDAY: allowances}}))
    legs = SPARK | {"emissions": LegQuestion(EUA)}
    plant = SpreadParameters(efficiency=0.5, emission_intensity=0.202)
    terms = {"periods": ["Q1-25", "Win-25"], "parameters": plant}
    answer = await answer_of(reading, "clean_spark", legs, **terms)
    winter = (65.0 * 92 + 67.0 * 90) / 182
    assert answer.frame["value"].to_list() == pytest.approx([-15.42, 95 - 84 - winter * 0.404], abs=1e-9)
    emissions = answer.legs[2].frame
    assert emissions["method"].to_list() == ["flat_december"] * 2
    assert emissions["contracts"].to_list() == [
        [{"contract": "Dec-25", "weight": 1.0, "price": 65.0, "in_place_of": None}],
        [
            {"contract": "Dec-25", "weight": 92 / 182, "price": 65.0, "in_place_of": None},
            {"contract": "Dec-26", "weight": 90 / 182, "price": 67.0, "in_place_of": None},
        ],
    ]
    between = await answer_of(reading, "clean_spark", legs, alignment=Alignment.INTERPOLATE, **terms)
    price = between.legs[2].frame["price"].to_list()[0]
    # From 17 days after the contract day of December 2024 to 106 days after it.
    assert price == pytest.approx(63 + 2 * (17 + 106) / 2 / 365, abs=1e-9)
    own = await answer_of(reading, "clean_spark", legs | {"emissions": LegQuestion(EUA, "Dec-24")}, **terms)
    assert own.legs[2].frame["price"].to_list() == [63.0, 63.0]
    alone = await answer_of(reading, "clean_spark", legs, alignment=Alignment.PERIOD, **terms)
    assert alone.legs[2].frame["price"].to_list() == [None, None]


async def test_in_front_of_the_first_december_that_is_listed_its_price_holds(store: Store) -> None:
    december, last = date(2024, 12, 20), date(2024, 12, 13)
    months = settled(("Nov-24", 90.0), ("Jan-25", 95.0))
    allowances = settled(("Dec-24", 63.0), ("Dec-25", 65.0))
    file = quotes_file(
        {
            POWER: dict.fromkeys((MONDAY, last, december), months),
            GAS: dict.fromkeys((MONDAY, last, december), settled(("Nov-24", 40.0), ("Jan-25", 42.0))),
            # Dec-24 expires on 16 December; Dec-23 did a year before.
            EUA: {MONDAY: allowances, last: allowances[1:], december: allowances[1:]},
        }
    )
    reading = await spread_reading(store, file)
    legs = SPARK | {"emissions": LegQuestion(EUA)}
    plant = SpreadParameters(efficiency=0.5, emission_intensity=0.202)
    terms: dict[str, Any] = {"parameters": plant, "alignment": Alignment.INTERPOLATE, "now": datetime(2025, 1, 2, tzinfo=UTC)}
    near = await answer_of(reading, "clean_spark", legs, periods=["Nov-24"], **terms)
    assert near.frame["value"].to_list() == pytest.approx([90 - 80 - 63 * 0.404], abs=1e-9)
    (contracts,) = near.legs[2].frame["contracts"].to_list()
    assert [(one["contract"], one["price"], one["in_place_of"]) for one in contracts] == [
        ("Dec-24", 63.0, "Dec-23"),
        ("Dec-24", 63.0, None),
    ]
    assert sum(one["weight"] for one in contracts) == pytest.approx(1)
    assert "the first one that is listed" in " ".join(spread_facts(near.plan)["notes"])  # type: ignore[call-overload]
    span: dict[str, Any] = {"trade_date": None, "first": last, "last": december}
    later = await answer_of(reading, "clean_spark", legs, periods=["Jan-25"], **terms, **span)
    assert later.frame["value"].to_list() == [None, pytest.approx(95 - 84 - 65 * 0.404)]
    nothing: dict[str, Any] = {"trade_date": None, "first": date(2024, 12, 24), "periods": ["Jan-25"]}
    assert (await answer_of(reading, "clean_spark", legs, **terms | nothing)).frame.is_empty()
    # A contract that is not listed before its day is missing, and not expired.
    assert later.frame["reason"].to_list()[0] == "emissions: Dec-24: no priced quote covers any of Dec-24"


async def test_a_missing_december_contract_is_named(store: Store) -> None:
    file = quotes_file(
        {
            POWER: {MONDAY: settled(("Win-25", 95.0))},
            GAS: {MONDAY: settled(("Win-25", 42.0))},
            EUA: {MONDAY: settled(("Dec-25", 65.0))},
        }
    )
    reading = await spread_reading(store, file)
    plant = SpreadParameters(efficiency=0.5, emission_intensity=0.202)
    legs = SPARK | {"emissions": LegQuestion(EUA)}
    answer = await answer_of(reading, "clean_spark", legs, periods=["Win-25"], parameters=plant)
    assert answer.frame["value"].to_list() == [None]
    assert answer.frame["reason"].to_list() == ["emissions: Dec-26: no priced quote covers any of Dec-26"]


async def test_coal_in_dollars_by_the_rate_of_the_trade_date_a_rate_or_a_forward_curve(store: Store) -> None:
    forwards = settled(("Q1-25", 1.12), ("Q2-25", 1.15))
    file = quotes_file(
        {
            POWER: {MONDAY: settled(("Q1-25", 90.84), ("Q2-25", 90.84))},
            COAL: {MONDAY: settled(("Q1-25", 110.0), ("Q2-25", 110.0))},
            EURUSD: {MONDAY: forwards},
        }
    )
    rates = rates_file("USD", {MONDAY: 1.08})
    reading = await spread_reading(store, file, rates)
    legs = {"power": LegQuestion(POWER), "coal": LegQuestion(COAL)}
    terms = {"periods": ["Q1-25", "Q2-25"], "parameters": SpreadParameters(efficiency=0.38)}

    def dark(rate: float) -> float:
        return 90.84 - 110 / rate / 6.978 / 0.38

    assert await values_of(reading, "dark", legs, fx=RATE, **terms) == pytest.approx([53.12749000618486] * 2, rel=1e-9)
    assert await values_of(reading, "dark", legs, fx=FORWARD, **terms) == pytest.approx([dark(1.12), dark(1.15)], rel=1e-12)
    of_date = await answer_of(reading, "dark", legs, **terms)
    assert of_date.frame["value"].to_list() == pytest.approx([dark(1.08)] * 2, rel=1e-12)
    coal = of_date.legs[1].frame
    assert (coal["fx_rate"].to_list(), coal["fx_date"].to_list()) == (pytest.approx([1.08] * 2), [MONDAY] * 2)
    assert coal["converted"].to_list() == pytest.approx([110 / 1.08 / 6.978] * 2)
    in_dollars = await answer_of(reading, "dark", legs, currency="USD", fx=RATE, **terms)
    assert in_dollars.frame["value"].to_list() == pytest.approx([53.12749000618486 * 1.10] * 2, rel=1e-9)
    assert str(in_dollars.plan.unit) == "USD/MWh"
    late = terms | {"periods": ["2026"]}
    answer = await answer_of(reading, "dark", {"power": value(90.0, "EUR/MWh"), "coal": LegQuestion(COAL)}, fx=FORWARD, **late)
    assert "coal: no priced quote covers any of 2026" in answer.frame["reason"].to_list()[0]


async def test_a_missing_rate_names_the_field_and_the_trade_date(store: Store) -> None:
    file = quotes_file({POWER: {MONDAY: settled(("Q1-25", 90.0))}, COAL: {MONDAY: settled(("Q1-25", 110.0))}})
    reading = await spread_reading(store, file)
    legs = {"power": LegQuestion(POWER), "coal": LegQuestion(COAL)}
    terms = {"periods": ["Q1-25"], "parameters": SpreadParameters(efficiency=0.38)}
    error = await refused(reading, "dark", legs, **terms)
    assert (error["field"], "EURUSD" in error["message"]) == ("fx", True)
    await store.loader.load(rates_file("USD", {FRIDAY: 1.1}))
    error = await refused(reading, "dark", legs, **terms)
    assert (error["field"], error["trade_date"]) == ("fx", "2024-10-14")
    own = legs | {"coal": LegQuestion(COAL, fx=FxQuestion())}
    assert (await refused(reading, "dark", own, fx=RATE, **terms))["field"] == "legs.coal.fx"
    pound = FxQuestion(FxKind.RATE, rate=0.86, pair="EURGBP")
    error = await refused(reading, "dark", legs, fx=pound, **terms)
    assert (error["field"], "EURGBP" in error["message"]) == ("fx.pair", True)
    error = await refused(reading, "dark", legs, fx=FxQuestion(FxKind.CURVE, curve=POWER), **terms)
    assert (error["field"], error["value"]) == ("fx.curve", POWER)


async def test_gas_converts_between_pence_per_therm_and_euros(store: Store) -> None:
    reading = await spread_reading(store, quotes_file({NBP: {MONDAY: settled(("Q1-25", 100.0))}, GAS: {MONDAY: GAS_QUOTES}}))
    pound = FxQuestion(FxKind.RATE, rate=0.86, pair="EURGBP")
    legs = {"node": LegQuestion(NBP), "hub": LegQuestion(GAS)}
    basis = await answer_of(reading, "basis", legs, periods=["Q1-25"], unit="EUR/MWh", fx=pound)
    assert basis.frame["value"].to_list() == pytest.approx([39.6760655 - 40.0], abs=4e-8)
    assert basis.legs[0].frame["converted"].to_list() == pytest.approx([39.6760655], rel=1e-9)
    other = await values_of(reading, "basis", {"node": legs["hub"], "hub": legs["node"]}, periods=["Q1-25"], fx=pound)
    assert other == pytest.approx([-one for one in basis.frame["value"].to_list()], abs=1e-12)
    pence = await values_of(reading, "basis", legs, periods=["Q1-25"], fx=pound)
    assert pence == pytest.approx([100 - 40 * 0.86 / 34.12141633 * 100], abs=1e-6)
    (ttf,) = await values_of(reading, "custom", {"ttf": value(40.0, "EUR/MWh")}, unit="USD/MMBtu", fx=RATE)
    assert ttf == pytest.approx(12.895127088061294, rel=1e-9)


async def test_a_crack_spread_counts_barrels_and_gallons(store: Store) -> None:
    file = quotes_file(
        {
            WTI: {MONDAY: settled(("Jan-25", 80.0))},
            RBOB: {MONDAY: settled(("Jan-25", 2.5))},
            ULSD: {MONDAY: settled(("Jan-25", 2.7))},
            GASOIL: {MONDAY: settled(("Jan-25", 700.0))},
        }
    )
    reading = await spread_reading(store, file)
    legs = {"crude": LegQuestion(WTI), "gasoline": LegQuestion(RBOB), "distillate": LegQuestion(ULSD)}
    assert await values_of(reading, "crack", legs, periods=["Jan-25"]) == pytest.approx([27.8], abs=1e-9)
    weights = {"crude": 5.0, "gasoline": 3.0, "distillate": 2.0}
    other = {name: replace(leg, weight=weights[name]) for name, leg in legs.items()}
    expected = (3 * 105 + 2 * 113.4) / 5 - 80
    assert await values_of(reading, "crack", other, periods=["Jan-25"]) == pytest.approx([expected], abs=1e-9)
    scaled = {name: replace(leg, weight=weights[name] * 7) for name, leg in legs.items()}
    assert await values_of(reading, "crack", scaled, periods=["Jan-25"]) == pytest.approx([expected], abs=1e-9)
    error = await refused(reading, "crack", legs | {"distillate": LegQuestion(GASOIL)}, periods=["Jan-25"])
    assert (error["field"], error["value"]) == ("legs.distillate.unit", "USD/t")
    sold = legs | {"crude": replace(legs["crude"], weight=-3.0)}
    assert (await refused(reading, "crack", sold, periods=["Jan-25"]))["field"] == "legs.crude.weight"


async def test_a_calendar_spread_is_antisymmetric_and_needs_no_periods(store: Store) -> None:
    reading = await spark_reading(store)
    near, far = LegQuestion(POWER, "Q1-25"), LegQuestion(POWER, "Q2-25")
    answer = await answer_of(reading, "calendar", {"near": near, "far": LegQuestion(period="Q2-25")})
    assert answer.frame["value"].to_list() == pytest.approx([Q1_POWER - 78.48], abs=1e-9)
    assert [one.period.label for one in answer.periods if one is not None] == ["Q1-25"]
    for side, other in ((SpreadSide.BID, SpreadSide.ASK), (SpreadSide.SETTLE, SpreadSide.SETTLE)):
        (there,) = await values_of(reading, "calendar", {"near": near, "far": far}, side=side)
        (back,) = await values_of(reading, "calendar", {"near": far, "far": near}, side=other)
        assert there == pytest.approx(-back)  # type: ignore[operator]
    error = await refused(reading, "calendar", {"near": near, "far": far}, periods=["Q1-25"])
    assert error["field"] == "periods"
    assert (await refused(reading, "calendar", {"near": LegQuestion(POWER), "far": far}))["field"] == "periods"


async def test_a_spread_through_trade_dates_is_that_of_each_date(store: Store) -> None:
    built = [("Jan-25", None, 102.0, None), ("Q1-25", None, 98.31, None)]
    wednesday = date(2024, 10, 16)
    file = quotes_file(
        {
            POWER: {FRIDAY: POWER_QUOTES[:3], MONDAY: POWER_QUOTES, wednesday: built},
            GAS: {MONDAY: GAS_QUOTES, wednesday: [*GAS_QUOTES, ("Feb-25", 40.0, 41.0, 42.0)]},
        }
    )
    reading = await spread_reading(store, file)
    terms: dict[str, Any] = {"periods": ["Q1-25", "Q2-25", "Feb-25"], "parameters": HALF}
    for side in SpreadSide:
        span = await answer_of(reading, "spark", SPARK, trade_date=None, first=FRIDAY, last=wednesday, side=side, **terms)
        assert span.frame["trade_date"].unique().sort().to_list() == [FRIDAY, MONDAY, wednesday]
        for day in (FRIDAY, MONDAY, wednesday):
            alone = await answer_of(reading, "spark", SPARK, trade_date=day, side=side, **terms)
            rows = span.frame.with_row_index("place").filter(span.frame["trade_date"] == day)
            assert rows["value"].to_list() == pytest.approx(alone.frame["value"].to_list(), abs=1e-9)
            for one, other in zip(span.legs, alone.legs, strict=True):
                part = one.frame[rows["place"].to_list()]
                assert part["method"].to_list() == other.frame["method"].to_list()
                assert part["reason"].to_list() == other.frame["reason"].to_list()
                assert part["price"].to_list() == pytest.approx(other.frame["price"].to_list(), abs=1e-9)
    named = await answer_of(reading, "spark", SPARK, trade_date=None, first=FRIDAY, **terms)
    assert named.frame["reason"].to_list()[0] == f"gas: {GAS} has no quotes on this trade date"
    built_price = named.legs[0].frame[8].to_dicts()[0]
    assert (built_price["method"], named.frame["trade_date"][8]) == ("from_build", wednesday)


async def test_a_curve_is_built_once_a_date_and_side_and_too_many_builds_are_refused_before_the_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [date(2024, 10, day) for day in range(7, 12)]
    quotes = [("Jan-25", 101.0, 102.0, 103.0), ("Q1-25", 98.0, 98.31, 99.0)]
    reading = await spread_reading(store, quotes_file({POWER: dict.fromkeys(days, quotes)}))
    legs = {"near": LegQuestion(POWER), "far": LegQuestion(POWER), "bought": LegQuestion(POWER, weight=2.0)}
    terms: dict[str, Any] = {"trade_date": None, "first": days[0], "periods": ["Feb-25", "Mar-25", "2025-02-10..2025-03-20"]}
    built: list[date] = []

    def counted(frame: Any, day: date, *rest: Any) -> Any:
        built.append(day)
        return derived_price(frame, day, *rest)

    monkeypatch.setattr(spread_legs, "derived_price", counted)
    answer = await answer_of(reading, "custom", legs, side=SpreadSide.MID, **terms)
    assert answer.frame["value"].null_count() == 0
    assert sorted(built) == sorted([*days, *days]), "one for each side"
    monkeypatch.setattr(spread_legs, "MOST_BUILDS", 9)
    built.clear()
    error = await refused(reading, "custom", legs, side=SpreadSide.MID, **terms)
    assert (error["field"], error["value"]) == ("from", str(days[0]))
    assert "10 curves would be built, of 9 at most" in error["message"]
    plan = await plan_spread(reading, SpreadQuestion(now=NOW, template="custom", legs=legs, **terms))
    with pytest.raises(InvalidParameters, match="15 rows, and may have 14"):
        await read_spread(reading, plan, most=14)
    assert built == []


async def test_the_quotes_of_all_curves_of_a_question_are_bounded_together(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [date(2024, 10, day) for day in (8, 9, 10)]
    quotes = {POWER: dict.fromkeys(days, settled(("Q1-25", 90.0))), GAS: dict.fromkeys(days, settled(("Q1-25", 40.0)))}
    reading = await spread_reading(store, quotes_file(quotes))
    terms: dict[str, Any] = {"trade_date": None, "first": days[0], "periods": ["Q1-25"], "parameters": HALF}
    monkeypatch.setattr(spread_legs, "MOST_QUOTES", 6)
    assert await values_of(reading, "spark", SPARK, **terms) == [10.0] * 3
    # Neither curve alone has more than five.
    monkeypatch.setattr(spread_legs, "MOST_QUOTES", 5)
    error = await refused(reading, "spark", SPARK, **terms)
    assert (error["field"], error["value"]) == ("from", str(days[0]))
    assert "more than 5 quotes" in error["message"]


async def test_rates_of_a_span_are_those_of_each_trade_date(store: Store) -> None:
    quotes = settled(("Q1-25", 110.0))
    file = quotes_file(
        {
            POWER: {day: settled(("Q1-25", 90.0)) for day in (FRIDAY, MONDAY)},
            COAL: dict.fromkeys((FRIDAY, MONDAY), quotes),
            EURUSD: {FRIDAY: settled(("Q1-25", 1.2)), date(2024, 10, 15): settled(("Q1-25", 1.3))},
        }
    )
    reading = await spread_reading(store, file, rates_file("USD", {FRIDAY: 1.1, MONDAY: 1.0}))
    legs = {"power": LegQuestion(POWER), "coal": LegQuestion(COAL)}
    terms: dict[str, Any] = {
        "trade_date": None,
        "first": FRIDAY,
        "periods": ["Q1-25"],
        "parameters": SpreadParameters(efficiency=0.38),
    }
    answer = await answer_of(reading, "dark", legs, **terms)
    assert answer.legs[1].frame["fx_rate"].to_list() == pytest.approx([1.1, 1.0])
    forward = await answer_of(reading, "dark", legs, fx=FORWARD, **terms)
    assert forward.frame["trade_date"].to_list() == [FRIDAY, MONDAY], "a date of a rate alone has no row"
    assert forward.legs[1].frame["fx_rate"].to_list() == [1.2, None]
    assert forward.frame["reason"].to_list() == [
        None,
        f"coal: exchange rate {EURUSD}: {EURUSD} has no quotes on this trade date",
    ]
    late = await refused(reading, "dark", legs, **terms | {"first": MONDAY, "last": FRIDAY})
    assert late["field"] == "from"


async def test_latest_is_the_newest_trade_date_of_all_legs(store: Store) -> None:
    file = quotes_file(
        {POWER: {FRIDAY: POWER_QUOTES, MONDAY: POWER_QUOTES}, GAS: {date(2024, 10, 10): GAS_QUOTES, FRIDAY: GAS_QUOTES}}
    )
    reading = await spread_reading(store, file)
    terms: dict[str, Any] = {"periods": ["Q1-25"], "parameters": HALF}
    assert (await answer_of(reading, "spark", SPARK, **terms, trade_date=None)).plan.trade_date == FRIDAY
    error = await refused(reading, "spark", SPARK, **terms, trade_date="previous")
    assert error["field"] == "trade_date"
    assert (await refused(reading, "spark", SPARK, **terms, trade_date="soon"))["field"] == "trade_date"


async def test_a_leg_that_stopped_long_ago_has_a_latest_trade_date_with_the_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread_plan, "_NEWEST", 3)
    days = [date(2024, 10, day) for day in (1, 2, 7, 8, 9, 10)]
    file = quotes_file({POWER: dict.fromkeys(days, POWER_QUOTES), GAS: dict.fromkeys(days[:2], GAS_QUOTES)})
    reading = await spread_reading(store, file)
    terms: dict[str, Any] = {"periods": ["Q1-25"], "parameters": HALF}
    for wanted, day in (("latest", days[1]), ("previous", days[0])):
        assert (await answer_of(reading, "spark", SPARK, **terms, trade_date=wanted)).plan.trade_date == day
    error = await refused(reading, "spark", SPARK | {"gas": LegQuestion(NBP)}, **terms, trade_date="latest")
    assert (error["field"], error["message"]) == ("trade_date", f"{NBP} has no quotes: name a date")
    other = {NBP: {date(2024, 9, 30): GAS_QUOTES, days[4]: GAS_QUOTES}, WTI: dict.fromkeys(days[2:4], settled(("Q1-25", 1.0)))}
    await store.loader.load(quotes_file(other))
    legs = {"a": LegQuestion(NBP), "b": LegQuestion(POWER), "c": LegQuestion(WTI)}
    error = await refused(reading, "custom", legs, periods=["Q1-25"], trade_date="latest")
    assert error["message"].startswith("none of the 3 trade dates up to 2024-10-08 has quotes of all of")


async def test_a_spread_is_that_known_at_an_instant(store: Store) -> None:
    corrected = datetime(2024, 10, 15, 9, tzinfo=UTC)
    reading = await spread_reading(
        store,
        quotes_file({POWER: {MONDAY: POWER_QUOTES}, GAS: {MONDAY: GAS_QUOTES}}),
        quotes_file({GAS: {MONDAY: [("Q2-25", 40.0, 41.0, 42.0)]}}, known_at=corrected),
    )
    terms: dict[str, Any] = {"periods": ["Q2-25"], "parameters": HALF}
    assert await values_of(reading, "spark", SPARK, **terms) == pytest.approx([78.48 - 82.0])
    before = "2024-10-15T08:59:59Z"
    assert await values_of(reading, "spark", SPARK, **terms, as_of=before) == pytest.approx([78.48 - 78.0])
    span: dict[str, Any] = {"trade_date": None, "first": MONDAY}
    assert await values_of(reading, "spark", SPARK, **terms, **span, as_of=before) == pytest.approx([78.48 - 78.0])
    versions = [
        (await plan_spread(reading, SpreadQuestion(NOW, "spark", SPARK, **terms, as_of=at))).versions for at in (None, before)
    ]
    assert versions[0] != versions[1]


async def test_quotes_and_rates_are_read_as_the_store_stood(store: Store) -> None:
    quotes = {POWER: {MONDAY: settled(("Q1-25", 90.0))}, COAL: {MONDAY: settled(("Q1-25", 110.0))}}
    reading = await spread_reading(store, quotes_file(quotes), rates_file("USD", {MONDAY: 1.1}))
    before = await store.loaded.latest()
    await store.loader.load(rates_file("USD", {MONDAY: 1.2}))
    await store.loader.load(quotes_file({POWER: {MONDAY: settled(("Q1-25", 95.0))}}, known_at=KNOWN + timedelta(hours=1)))
    legs = {"power": LegQuestion(POWER), "coal": LegQuestion(COAL)}
    terms: dict[str, Any] = {"periods": ["Q1-25"], "parameters": SpreadParameters(efficiency=0.38)}
    now = SystemClock().now()
    for as_loaded, power, rate in ((None, 95.0, 1.2), (before, 90.0, 1.1)):
        answer = await answer_of(reading, "dark", legs, now=now, as_loaded=as_loaded, **terms)
        assert answer.frame["value"].to_list() == pytest.approx([power - 110 / rate / 6.978 / 0.38], rel=1e-12)


async def test_a_holiday_of_the_central_bank_has_the_rate_before_it(store: Store) -> None:
    may_day = date(2024, 5, 1)
    quotes = {POWER: {may_day: settled(("Q1-25", 90.0))}, COAL: {may_day: settled(("Q1-25", 110.0))}}
    reading = await spread_reading(store, quotes_file(quotes), rates_file("USD", {may_day - timedelta(days=1): 1.1}))
    legs = {"power": LegQuestion(POWER), "coal": LegQuestion(COAL)}
    terms: dict[str, Any] = {"trade_date": may_day, "periods": ["Q1-25"], "parameters": SpreadParameters(efficiency=0.38)}
    answer = await answer_of(reading, "dark", legs, **terms)
    assert answer.legs[1].frame["fx_date"].to_list() == [may_day - timedelta(days=1)]


async def test_a_product_of_a_tenant_is_its_own(store: Store) -> None:
    file = quotes_file({GAS: {MONDAY: GAS_QUOTES}}, tenant="acme")
    shared = quotes_file({POWER: {MONDAY: POWER_QUOTES}})
    reading = await spread_reading(store, file, shared, tenants={GAS: "acme", COAL: "bolt"})
    acme, bolt = (reading_of_tenant(store, reading, tenant) for tenant in ("acme", "bolt"))
    terms: dict[str, Any] = {"periods": ["Q2-25"], "parameters": HALF}
    assert await values_of(acme, "spark", SPARK, **terms) == pytest.approx([0.48])
    for other in (bolt, reading):
        with pytest.raises(UnknownName) as raised:
            await values_of(other, "spark", SPARK, **terms)
        assert raised.value.name == GAS


async def test_values_in_the_question_need_no_curve(store: Store) -> None:
    reading = await spread_reading(store, keys=[])
    legs = {"power": value(45.0, "USD/MWh"), "gas": value(3.25, "USD/MMBtu")}
    rate = SpreadParameters(heat_rate=7.0, heat_rate_unit="MMBtu/MWh")
    answer = await answer_of(reading, "spark", legs, parameters=rate, trade_date=None)
    assert answer.frame["value"].to_list() == pytest.approx([22.25], abs=1e-9)
    assert answer.frame["implied_heat_rate"].to_list() == pytest.approx([13.846153846153847], rel=1e-12)
    assert (answer.plan.trade_date, answer.periods) == (None, [None])
    german = {"power": value(90.84, "EUR/MWh"), "gas": value(40.0, "EUR/MWh"), "emissions": value(65.0, "EUR/t")}
    plant = SpreadParameters(efficiency=0.5, emission_intensity=0.202)
    assert await values_of(reading, "clean_spark", german, parameters=plant) == pytest.approx([-15.42], abs=1e-9)
    coal = {"power": value(90.84, "EUR/MWh"), "coal": value(110.0, "USD/t"), "emissions": value(65.0, "EUR/t")}
    old = SpreadParameters(efficiency=0.38, emission_intensity=0.341)
    assert await values_of(reading, "clean_dark", coal, parameters=old, fx=RATE) == pytest.approx(
        [-5.201457362236205], rel=1e-9
    )
    error = await refused(reading, "clean_dark", coal, parameters=old, trade_date=None)
    assert error["field"] in ("fx", "trade_date")


@pytest.mark.parametrize(
    ("template", "legs", "terms", "field"),
    [
        ("sprak", SPARK, {}, "template"),
        ("spark", {"power": LegQuestion(POWER)}, {}, "legs.gas"),
        ("spark", SPARK | {"oil": LegQuestion(WTI)}, {}, "legs.oil"),
        ("spark", SPARK | {"gas": LegQuestion()}, {}, "legs.gas"),
        ("spark", SPARK | {"gas": LegQuestion(GAS, value=40.0)}, {}, "legs.gas"),
        ("spark", SPARK | {"gas": LegQuestion(GAS, unit="EUR/MWh")}, {}, "legs.gas.unit"),
        ("spark", SPARK | {"gas": LegQuestion(value=40.0)}, {}, "legs.gas.unit"),
        ("spark", SPARK | {"gas": value(40.0, "EUR/MW")}, {}, "legs.gas.unit"),
        ("spark", SPARK | {"gas": value(40.0, "EUR/furlong")}, {}, "legs.gas.unit"),
        ("spark", SPARK | {"gas": value(40.0, "EUR/MWh", period="Q1-25")}, {}, "legs.gas.period"),
        ("spark", SPARK | {"gas": LegQuestion(WTI)}, {}, "legs.gas.unit"),
        ("spark", SPARK, {"periods": []}, "periods"),
        ("spark", SPARK, {"periods": ["Q5-25"]}, "periods"),
        ("calendar", {"near": LegQuestion(POWER, "Q1-25"), "far": LegQuestion(POWER, "Q9")}, NONE, "legs.far.period"),
        ("calendar", {"near": LegQuestion(POWER, "Q9"), "far": LegQuestion(POWER, "Q1-25")}, NONE, "legs.near.period"),
        ("spark", SPARK, {"unit": "USD/bbl"}, "unit"),
        ("spark", SPARK, {"unit": "furlong"}, "unit"),
        ("spark", SPARK, {"currency": "XXX"}, "currency"),
        ("spark", SPARK, {"first": FRIDAY}, "trade_date"),
        ("spark", SPARK, {"trade_date": date(9999, 12, 31)}, "trade_date"),
        ("spark", SPARK, {"trade_date": None, "last": date(1, 1, 1)}, "to"),
        ("spark", SPARK | {"gas": value(1e308, "EUR/MWh")}, {}, "legs.gas.value"),
        ("spark", SPARK | {"gas": LegQuestion(GAS, weight=1e-300)}, {}, "legs.gas.weight"),
        ("custom", {"a": LegQuestion(POWER, weight=-1e300)}, {"parameters": SpreadParameters()}, "legs.a.weight"),
        ("spark", SPARK, {"fx": FxQuestion(FxKind.RATE, rate=1e-300, pair="EURUSD")}, "fx.rate"),
        ("spark", SPARK, {"fx": FxQuestion(FxKind.RATE)}, "fx.rate"),
        ("spark", SPARK, {"fx": FxQuestion(FxKind.RATE, rate=0.0, pair="EURUSD")}, "fx.rate"),
        ("spark", SPARK, {"fx": FxQuestion(FxKind.RATE, rate=1.1, pair="EUR-USD")}, "fx.pair"),
        ("spark", SPARK, {"fx": FxQuestion(FxKind.RATE, rate=1.1, pair="EURXXX")}, "fx.pair"),
        ("spark", SPARK, {"fx": FxQuestion(curve=EURUSD)}, "fx.curve"),
        (
            "spark",
            {"power": value(1.0, "EUR/MWh"), "gas": value(1.0, "EUR/MWh")},
            {"trade_date": None, "first": FRIDAY},
            "from",
        ),
        ("custom", {}, {"parameters": SpreadParameters()}, "legs"),
        ("custom", {"a": value(1.0, "EUR/MWh"), "b": value(1.0, "EUR/t")}, {"parameters": SpreadParameters()}, "legs.b.unit"),
        ("spark", SPARK, {"parameters": SpreadParameters()}, "parameters.efficiency"),
    ],
)
async def test_a_wrong_question_names_the_field(
    store: Store, template: str, legs: dict[str, LegQuestion], terms: dict[str, Any], field: str
) -> None:
    reading = await spark_reading(store)
    error = await refused(reading, template, legs, **({"periods": ["Q1-25"], "parameters": HALF} | terms))
    assert error["field"] == field
