"""Laws of builds, strips and shapes, over quotes that nest, overlap, leave gaps and have prices of any sign.

Days have their hours of the German clock: 23 and 25 where clocks change, in leap years and in weeks over the ends of years.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from aurum.core.curves.build import Build, BuildQuote, Objective, Profile, build_curve
from aurum.core.curves.diff import diff_quotes
from aurum.core.curves.layers import Extrapolate
from aurum.core.curves.overlaps import imply, rank_quotes
from aurum.core.curves.periods import Period, PeriodKind
from aurum.core.curves.strips import strip

BERLIN = ZoneInfo("Europe/Berlin")
TICK = 0.01
START = date(2023, 12, 1)
"""A month before a leap year whose first ISO week starts on its first day; the next year's begins in December."""
DAYS = 500


@cache
def day_hours() -> NDArray[np.float64]:
    def midnight(number: int) -> datetime:
        day = START + timedelta(days=number)
        return datetime(day.year, day.month, day.day, tzinfo=BERLIN).astimezone(UTC)

    return np.array([(midnight(n + 1) - midnight(n)).total_seconds() / 3600 for n in range(DAYS)])


def hours(first: date, end: date) -> float:
    return float(day_hours()[(first - START).days : (end - START).days].sum())


@dataclass(frozen=True)
class Days:
    first: date
    end: date
    hours: NDArray[np.float64]
    day: NDArray[np.int32]


@cache
def grid() -> Days:
    return Days(START, START + timedelta(days=DAYS), day_hours(), np.arange(DAYS, dtype=np.int32))


@cache
def peak() -> NDArray[np.float64]:
    return np.array([12.0 * ((START + timedelta(days=n)).weekday() < 5) for n in range(DAYS)])


def month_start(number: int) -> date:
    return date(START.year + (START.month - 1 + number) // 12, (START.month - 1 + number) % 12 + 1, 1)


SPANS = [
    *((month_start(n), month_start(n + 1)) for n in range(16)),
    *((month_start(n), month_start(n + 3)) for n in (1, 4, 7, 10, 13)),
    (month_start(1), month_start(13)),
    *(
        (date(2023, 12, 4) + timedelta(days=7 * n), date(2023, 12, 11) + timedelta(days=7 * n))
        for n in (0, 1, 2, 3, 4, 16, 46, 56)
    ),
    *((date(2024, 3, 30) + timedelta(days=n), date(2024, 3, 31) + timedelta(days=n)) for n in (0, 1, 2)),
]
"""Months, quarters, a year, weeks (over the ends of months and years) and days, the day of 23 hours among them."""

prices = st.integers(-50_000, 50_000).map(lambda ticks: ticks / 100)
quote_lists = st.lists(st.tuples(st.sampled_from(SPANS), prices), min_size=1, max_size=12).map(
    lambda rows: [BuildQuote(first, end, price, str(n)) for n, ((first, end), price) in enumerate(rows)]
)
quarters = st.tuples(st.sampled_from([1, 4, 7, 10]), st.lists(prices, min_size=4, max_size=4)).map(
    lambda drawn: [
        BuildQuote(month_start(drawn[0]), month_start(drawn[0] + 3), drawn[1][0], "quarter"),
        *(BuildQuote(month_start(drawn[0] + n), month_start(drawn[0] + n + 1), drawn[1][n + 1], "month") for n in range(3)),
    ]
)
"""A quarter and its three months."""
objectives = st.sampled_from([Objective.SMOOTH, Objective.FLAT])
every = st.sampled_from(list(Objective))


def frame(quotes: list[BuildQuote]) -> pl.DataFrame:
    """Return the quotes as a frame, of one span the first."""
    rows = {(quote.first, quote.end): quote.price for quote in reversed(quotes)}
    schema = {"delivery_start": pl.Date, "delivery_end": pl.Date, "price": pl.Float64}
    return pl.DataFrame([(*span, price) for span, price in rows.items()], schema, orient="row")


def built(quotes: list[BuildQuote], objective: Objective = Objective.SMOOTH, **options: object) -> Build:
    prior = 60 + 10 * np.cos(np.arange(DAYS) / 58) if objective is Objective.SHAPE else None
    return build_curve(quotes, grid(), tick=TICK, objective=objective, prior=prior, **options)


def consistent(quotes: list[BuildQuote]) -> list[BuildQuote]:
    """Return the quotes with redundant prices set to what the finer ones imply."""
    overlaps = rank_quotes(quotes, weight=hours, tick=TICK)
    changed = list(quotes)
    for each in overlaps.redundant:
        changed[each.index] = replace(quotes[each.index], price=each.implied)
    return changed


def close(left: NDArray[np.float64], right: NDArray[np.float64], scale: float = 1000.0) -> bool:
    return bool(
        np.array_equal(np.isnan(left), np.isnan(right)) and np.allclose(left, right, rtol=0, atol=1e-8 * scale, equal_nan=True)
    )


@given(quote_lists, prices, objectives)
def test_quotes_of_one_price_build_that_price(quotes: list[BuildQuote], price: float, objective: Objective) -> None:
    curve = built([replace(quote, price=price) for quote in quotes], objective, extrapolate=Extrapolate.TREND)
    assert np.allclose(curve.values, price, rtol=0, atol=1e-8)
    assert curve.report.contradictions == ()
    assert curve.report.objective == pytest.approx(0, abs=1e-12)


@given(quote_lists, every, st.sampled_from(list(Profile)))
def test_independent_quotes_are_repriced(quotes: list[BuildQuote], objective: Objective, profile: Profile) -> None:
    curve = built(quotes, objective, profile=profile)
    assert curve.report.max_abs_error <= 1e-9
    for place in curve.report.independent:
        quote = quotes[place]
        assert curve.price(quote.first, quote.end) == pytest.approx(quote.price, abs=1e-9)
    assert len(curve.report.independent) + len(curve.report.redundant) == curve.report.quotes == len(quotes)


@given(quote_lists, prices, objectives)
def test_a_shift_of_all_quotes_shifts_the_curve(quotes: list[BuildQuote], shift: float, objective: Objective) -> None:
    shifted = built([replace(quote, price=quote.price + shift) for quote in quotes], objective)
    assert close(shifted.values, built(quotes, objective).values + shift)


@given(quote_lists, st.floats(-3, 3), every)
def test_a_curve_scales_with_its_quotes(quotes: list[BuildQuote], factor: float, objective: Objective) -> None:
    scaled = built([replace(quote, price=quote.price * factor) for quote in quotes], objective, profile=Profile.MULTIPLICATIVE)
    assert close(scaled.values, built(quotes, objective, profile=Profile.MULTIPLICATIVE).values * factor)


@given(quote_lists, st.randoms(use_true_random=False), every)
def test_the_order_of_quotes_is_irrelevant(quotes: list[BuildQuote], random: object, objective: Objective) -> None:
    order = list(quotes)
    random.shuffle(order)  # type: ignore[attr-defined]
    one, other = built(quotes, objective), built(order, objective)
    assert close(one.values, other.values)
    assert {quotes[place].label for place in one.report.independent} == {
        order[place].label for place in other.report.independent
    }


@given(quote_lists, every)
def test_a_redundant_quote_can_be_dropped(quotes: list[BuildQuote], objective: Objective) -> None:
    curve = built(quotes, objective)
    assume(curve.report.redundant)
    alone = built([quotes[place] for place in curve.report.independent], objective)
    assert close(curve.values, alone.values)


@given(quote_lists, st.integers(1, 1000))
def test_splitting_a_quote_into_halves_that_imply_it_changes_nothing(quotes: list[BuildQuote], where: int) -> None:
    quotes = consistent(quotes)
    curve = built(quotes)
    long = [quotes[place] for place in curve.report.independent if (quotes[place].end - quotes[place].first).days > 1]
    assume(long)
    whole = long[where % len(long)]
    middle = whole.first + timedelta(days=1 + where % ((whole.end - whole.first).days - 1))
    halves = [
        BuildQuote(first, end, curve.price(first, end) or 0.0, "half")
        for first, end in ((whole.first, middle), (middle, whole.end))
    ]
    rest = [quote for quote in quotes if quote is not whole]
    size = max(np.nanmax(np.abs(curve.values)), 1000.0)
    assert close(built([*rest, *halves]).values, curve.values, size)
    assert close(built([*quotes, *halves]).values, curve.values, size)


@given(quote_lists, every)
def test_the_jacobian_times_the_quotes_is_the_curve(quotes: list[BuildQuote], objective: Objective) -> None:
    curve = built(quotes, objective, profile=Profile.MULTIPLICATIVE, extrapolate=Extrapolate.TREND)
    jacobian = curve.jacobian()
    moved = [replace(quote, price=quote.price + n) for n, quote in enumerate(quotes)]
    again = built(moved, objective, profile=Profile.MULTIPLICATIVE, extrapolate=Extrapolate.TREND)
    assume({*again.report.independent} == {*curve.report.independent})
    assert close(curve.values + jacobian @ np.arange(len(quotes)), again.values, max(np.abs(again.values).max(), 1000.0))
    redundant = [each.quote for each in curve.report.redundant]
    assert not jacobian[:, redundant].any()
    spans = [(quotes[place].first, quotes[place].end) for place in curve.report.independent]
    assert np.allclose(curve.jacobian(spans)[:, curve.report.independent], np.eye(len(spans)), atol=1e-8)


@given(quote_lists, quote_lists, every)
@example(
    [BuildQuote(month_start(1), month_start(13), 80.0, "0")],
    [BuildQuote(month_start(4), month_start(7), 95.0, "0")],
    Objective.SMOOTH,
)
def test_base_and_peak_are_repriced_together(base: list[BuildQuote], block: list[BuildQuote], objective: Objective) -> None:
    with_hours = [quote for quote in block if peak()[(quote.first - START).days : (quote.end - START).days].any()]
    quotes = [*base, *(replace(quote, block="PEAK") for quote in with_hours)]
    curve = built(quotes, objective, blocks={"PEAK": peak()}, profile=Profile.ADDITIVE, extrapolate=Extrapolate.FLAT)
    assert curve.report.max_abs_error <= 1e-8
    inside, outside = peak(), day_hours() - peak()
    if with_hours:
        parts = [
            np.nan_to_num(curve.block_values(inside=True)) * inside,
            np.nan_to_num(curve.block_values(inside=False)) * outside,
        ]
        assert np.allclose(sum(parts), curve.values * day_hours(), atol=1e-5)


@given(quote_lists)
def test_days_without_a_quote_are_reported(quotes: list[BuildQuote]) -> None:
    curve = built(quotes)
    uncovered = np.ones(DAYS, np.bool_)
    for quote in quotes:
        uncovered[(quote.first - START).days : (quote.end - START).days] = False
    reported = np.zeros(DAYS, np.bool_)
    for span in curve.report.uncovered:
        reported[(span.first - START).days : (span.end - START).days] = True
    assert reported.tolist() == uncovered.tolist()
    assert not np.isfinite(curve.values[: (min(quote.first for quote in quotes) - START).days]).any()
    for how in (Extrapolate.FLAT, Extrapolate.TREND):
        wide = built(quotes, extrapolate=how)
        assert np.isfinite(wide.values).all()
        assert close(np.where(np.isfinite(curve.values), wide.values, np.nan), curve.values)


@given(quote_lists)
def test_a_smooth_curve_is_smoother_than_a_flat_one(quotes: list[BuildQuote]) -> None:
    flat = built(quotes, Objective.FLAT).report.objective
    assert built(quotes).report.objective <= flat * (1 + 1e-9) + 1e-9


@given(quarters, quote_lists)
def test_an_implied_price_is_the_price_of_any_curve(quarter: list[BuildQuote], others: list[BuildQuote]) -> None:
    quotes = consistent([*quarter[:2], *others])
    rest = quarter[1].end, quarter[0].end
    implied = imply(quotes, *rest, weight=hours)
    assert implied is not None
    for objective in (Objective.SMOOTH, Objective.FLAT):
        assert built(quotes, objective).price(*rest) == pytest.approx(implied.value, rel=1e-9, abs=1e-7)


@given(quote_lists, st.sampled_from(SPANS), prices, st.floats(-3, 3))
def test_strips_are_linear_and_do_not_depend_on_order(
    quotes: list[BuildQuote], span: tuple[date, date], shift: float, factor: float
) -> None:
    period = Period("", PeriodKind.CUSTOM, *span)
    plain = strip(frame(quotes), period, weight=hours, tick=TICK)
    moved = frame(quotes).with_columns(pl.col("price") * factor + shift).reverse()
    other = strip(moved, period, weight=hours, tick=TICK)
    assert (other.method, other.coverage) == (plain.method, plain.coverage)
    assert 0 <= plain.coverage <= 1 + 1e-12
    if plain.value is None:
        assert other.value is None
        assert plain.reason
    else:
        assert other.value == pytest.approx(plain.value * factor + shift, rel=1e-9, abs=1e-8)


@given(quarters, quote_lists)
def test_a_strip_from_finer_quotes_is_the_price_of_a_curve_of_them(quarter: list[BuildQuote], others: list[BuildQuote]) -> None:
    quotes = consistent([*quarter, *others])
    span = quarter[0].first, quarter[0].end
    made = strip(frame(quotes), Period("", PeriodKind.CUSTOM, *span), weight=hours, tick=TICK)
    assert made.method == "from_finer"
    assert built(quotes).price(*span) == pytest.approx(made.value, rel=1e-9, abs=1e-7)


@given(quote_lists, quote_lists)
def test_a_diff_is_minus_the_diff_the_other_way_round(left: list[BuildQuote], right: list[BuildQuote]) -> None:
    a, b = (frame(quotes).with_columns(curve=pl.lit("x")) for quotes in (left, right))
    forth, back = diff_quotes(a, b), diff_quotes(b, a)
    assert forth["delivery_start"].to_list() == back["delivery_start"].to_list()
    assert forth["move"].to_list() == (-back["move"]).to_list()
    other = {"listed": "expired", "expired": "listed"}
    assert forth["status"].to_list() == [other.get(status, status) for status in back["status"].to_list()]
    assert diff_quotes(a, a)["move"].to_list() == [0.0] * len(a)
