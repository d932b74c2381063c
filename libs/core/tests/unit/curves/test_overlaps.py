from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from aurum.core.curves.overlaps import InvalidQuote, Quote, Residual, imply, rank_quotes

Hours = Callable[[date, date], float]
JAN, FEB, MAR, APR, JUL = (date(2025, month, 1) for month in (1, 2, 3, 4, 7))
OCT = date(2025, 10, 1)
TICK = 0.01


def quotes_of(frame: pl.DataFrame) -> list[Quote]:
    rows = frame.select("delivery_start", "delivery_end", "price", "kind").iter_rows()
    return [Quote(first, end, price, f"{kind} {first}") for first, end, price, kind in rows]


def days(first: date, end: date) -> float:
    return float((end - first).days)


def quarter(price: float) -> list[Quote]:
    return [
        Quote(JAN, APR, price, "Q1-25"),
        Quote(FEB, MAR, 50.0, "Feb-25"),
        Quote(JAN, FEB, 60.0, "Jan-25"),
        Quote(MAR, APR, 40.0, "Mar-25"),
    ]


def test_a_quarter_is_redundant_to_its_months(hours: Hours) -> None:
    overlaps = rank_quotes(quarter(50.0), weight=hours, tick=TICK)
    assert overlaps.independent == (1, 2, 3)
    (redundant,) = overlaps.redundant
    assert redundant.implied == pytest.approx((744 * 60 + 672 * 50 + 743 * 40) / 2159, rel=1e-12)
    assert [(term.index, term.weight) for term in redundant.terms] == [(2, 744), (1, 672), (3, 743)]
    assert redundant.weight == 2159


@pytest.mark.parametrize(("off", "kind"), [(0.01, "rounding"), (-0.01, "rounding"), (0.0101, "contradiction")])
def test_a_tick_divides_rounding_from_contradiction(hours: Hours, off: float, kind: str) -> None:
    implied = (744 * 60 + 672 * 50 + 743 * 40) / 2159
    overlaps = rank_quotes(quarter(implied + off), weight=hours, tick=TICK)
    assert [each.kind for each in overlaps.redundant] == [Residual(kind)]
    assert overlaps.redundant[0].residual == pytest.approx(off, abs=1e-9)
    assert len(overlaps.contradictions) == (kind == "contradiction")
    assert len(overlaps.rounding) == (kind == "rounding")


def test_a_quote_is_implied_by_subtraction_as_well() -> None:
    quotes = [Quote(JAN, APR, 50.0), Quote(JAN, FEB, 60.0), Quote(FEB, APR, 45.0)]
    implied = imply(quotes[:2], FEB, APR, weight=days)
    assert implied is not None
    assert implied.value == pytest.approx((90 * 50 - 31 * 60) / 59, rel=1e-12)
    assert [term.weight for term in implied.terms] == [90, -31] or [term.weight for term in implied.terms] == [-31, 90]
    assert imply(quotes[:2], FEB, MAR, weight=days) is None


def test_a_week_over_a_month_end_is_independent() -> None:
    quotes = [
        Quote(date(2020, 4, 1), date(2020, 5, 1), 20.0),
        Quote(date(2020, 5, 1), date(2020, 6, 1), 22.0),
        Quote(date(2020, 4, 27), date(2020, 5, 4), 18.0),
    ]
    assert rank_quotes(quotes, weight=days, tick=TICK).redundant == ()


def test_two_quotes_of_one_span_are_one_quote_and_a_redundant_one() -> None:
    overlaps = rank_quotes([Quote(JAN, FEB, 50.0, "Jan"), Quote(JAN, FEB, 50.2, "BOM")], weight=days, tick=TICK)
    assert overlaps.independent == (1,)
    assert overlaps.contradictions[0].residual == pytest.approx(-0.2)


def test_spans_that_differ_by_days_without_weight_are_one_span() -> None:
    week, working_days = Quote(date(2025, 1, 6), date(2025, 1, 13), 50.0), Quote(date(2025, 1, 6), date(2025, 1, 11), 50.0)

    def peak(first: date, end: date) -> float:
        return 12.0 * sum(date.fromordinal(n).weekday() < 5 for n in range(first.toordinal(), end.toordinal()))

    overlaps = rank_quotes([week, working_days], weight=peak, tick=TICK)
    assert overlaps.independent == (1,)
    assert overlaps.redundant[0].residual == 0


def test_nothing_is_independent_of_nothing() -> None:
    overlaps = rank_quotes([], weight=days, tick=TICK)
    assert (overlaps.independent, overlaps.redundant) == ((), ())


@pytest.mark.parametrize(
    ("quote", "why"),
    [
        (Quote(JAN, FEB, float("nan"), "Jan-25"), "not a finite number"),
        (Quote(FEB, JAN, 50.0, "Jan-25"), "ends on 2025-01-01"),
        (Quote(date(2025, 1, 4), date(2025, 1, 6), 50.0, "Jan-25"), "no hours"),
    ],
)
def test_quotes_that_say_nothing_are_refused_by_name(quote: Quote, why: str) -> None:
    def peak(first: date, end: date) -> float:
        return 12.0 * sum(date.fromordinal(n).weekday() < 5 for n in range(first.toordinal(), end.toordinal()))

    with pytest.raises(InvalidQuote, match=why) as raised:
        rank_quotes([quote], weight=peak, tick=TICK)
    assert raised.value.facts["quote"] == "Jan-25"


@pytest.mark.parametrize("kinds", ["MQ", "WMQ"])
def test_redundant_settlements_of_all_trade_dates(
    settlements: Callable[[str], pl.DataFrame], oracle: Callable[[str], Any], hours: Hours, kinds: str
) -> None:
    expected = oracle("B1")["give " + {"MQ": "M+Q", "WMQ": "W+M+Q"}[kinds]]
    dates = settlements("MQ")["trade_date"].unique()  # one more trade date has weeks alone
    forward = settlements(kinds).filter(
        pl.col("delivery_start") > pl.col("trade_date"),
        pl.col("price").is_not_null(),
        pl.col("trade_date").is_in(dates.implode()),
    )
    results = [
        rank_quotes(quotes_of(frame), weight=hours, tick=TICK)
        for frame in forward.partition_by("trade_date", maintain_order=True)
    ]
    residuals = [each.residual for result in results for each in result.redundant]
    assert len(results) == expected["dates"]
    assert len(forward) == expected["quotes"]
    assert sum(len(result.independent) for result in results) == expected["independent"]
    assert len(residuals) == expected["redundant"]
    assert sum(abs(residual) > 1e-9 for residual in residuals) == expected["nonzero_over_1e9"]
    assert sum(abs(residual) > TICK / 2 for residual in residuals) == expected["over_half_tick"]
    assert sum(len(result.contradictions) for result in results) == expected["contradictions_over_tick"]
    assert max(abs(residual) for residual in residuals) == pytest.approx(expected["max"], abs=1e-6)


def on(frame: pl.DataFrame, trade_date: date) -> pl.DataFrame:
    return frame.filter(pl.col("trade_date") == trade_date).drop_nulls("price")


def replaced(quotes: Sequence[Quote], first: date, end: date, price: float) -> list[Quote]:
    return [Quote(q.first, q.end, price, q.label) if (q.first, q.end) == (first, end) else q for q in quotes]


def test_injected_contradiction_names_the_months_and_the_size(settlements: Callable[[str], pl.DataFrame], hours: Hours) -> None:
    quotes = quotes_of(on(settlements("MQ"), date(2024, 10, 14)))
    injected = rank_quotes(replaced(quotes, JAN, APR, 98.33), weight=hours, tick=TICK)
    (found,) = injected.contradictions  # words: the contradiction in the result
    assert quotes[found.index].label == "Q 2025-01-01"
    assert found.implied == pytest.approx(98.31025011579435, rel=1e-12)
    assert found.residual == pytest.approx(0.019749884205651824, abs=1e-9)
    assert [(quotes[t.index].label, t.weight) for t in found.terms] == [
        ("M 2025-01-01", 744),
        ("M 2025-02-01", 672),
        ("M 2025-03-01", 743),
    ]
    rounded = rank_quotes(replaced(quotes, JAN, APR, 98.315), weight=hours, tick=TICK)
    assert rounded.contradictions == ()


def test_weeks_that_tile_february_2021(
    settlements: Callable[[str], pl.DataFrame], oracle: Callable[[str], Any], hours: Hours
) -> None:
    rows = []
    for trade_date in settlements("MW")["trade_date"].unique().sort():
        quotes = quotes_of(on(settlements("MW"), trade_date))
        month = [q for q in quotes if (q.first, q.end) == (date(2021, 2, 1), date(2021, 3, 1))]
        weeks = [q for q in quotes if q.label[0] == "W" and q.first.year == 2021]
        implied = imply(weeks, date(2021, 2, 1), date(2021, 3, 1), weight=hours) if weeks else None
        if month and implied is not None:
            rows.append([str(trade_date), "2021-02-01", month[0].price, pytest.approx(implied.value, abs=1e-6)])
    assert rows == oracle("B4")["rows"]


def test_delivering_month_less_its_weeks_is_the_realised_part(
    settlements: Callable[[str], pl.DataFrame], oracle: Callable[[str], Any], hours: Hours
) -> None:
    for trade_date, first, left, month, weeks, remainder, *_ in oracle("B2"):
        quotes = quotes_of(on(settlements("MW"), date.fromisoformat(trade_date)))
        start = date.fromisoformat(first)
        inside = [q for q in quotes if q.first >= start and q.end <= date(2021, 2, 1)]
        assert [q.price for q in inside if q.label[0] == "W"] == weeks
        assert month in [q.price for q in inside if q.label[0] == "M"]
        implied = imply(inside, start, date(2021, 1, 4), weight=hours)
        assert implied is not None
        assert implied.weight == left
        assert implied.value == pytest.approx(remainder, abs=1e-6)


def test_the_rest_of_a_week_stands_beside_that_of_a_month_and_one_tick_of_the_month_is_rounding() -> None:
    rest = date(2021, 2, 25), date(2021, 3, 1)
    week = Quote(*rest, 40.0, "W08-21", scale=168 / 96)
    for price, kind in ((40.0 + 0.0031 * 672 / 96, Residual.ROUNDING), (40.0 + 0.011 * 672 / 96, Residual.CONTRADICTION)):
        for sign in (1.0, -1.0):
            month = Quote(*rest, sign * price, "Feb-21", scale=672 / 96)
            ranked = rank_quotes([month, replace(week, price=sign * 40.0)], weight=days, tick=TICK)
            assert ranked.independent == (1,), "whichever is cheaper, the week was quoted finer"
            assert [one.kind for one in ranked.redundant] == [kind]
