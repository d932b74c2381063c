from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from aurum.core.curves.periods import Period, PeriodKind
from aurum.core.curves.strips import NoHours, StripMethod, off_peak, strip, strip_history, tiling

Hours = Callable[[date, date], float]
TICK = 0.01
SCHEMA = {"delivery_start": pl.Date, "delivery_end": pl.Date, "price": pl.Float64}


def month(number: int, year: int = 2025) -> date:
    return date(year + (number - 1) // 12, (number - 1) % 12 + 1, 1)


def span(first: int, months: int, price: float | None) -> tuple[date, date, float | None]:
    return month(first), month(first + months), price


def frame(*rows: tuple[date, date, float | None]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), SCHEMA, orient="row")


def period(first: int, months: int) -> Period:
    return Period("P", PeriodKind.CUSTOM, month(first), month(first + months))


Q1, YEAR = period(1, 3), period(1, 12)
MONTHS = [span(1, 1, 102.0), span(2, 1, 104.11), span(3, 1, 89.37)]
QUARTERS = [span(1, 3, 98.31), span(4, 3, 78.48), span(7, 3, 87.12), span(10, 3, 96.62)]


def test_a_quarter_from_months_by_hours_with_the_quote_beside_it(hours: Hours) -> None:
    result = strip(frame(*MONTHS, *QUARTERS), Q1, weight=hours, tick=TICK)
    assert result.value == pytest.approx(98.31025011579435, rel=1e-12)
    assert (result.method, result.quoted, result.coverage) == (StripMethod.FROM_FINER, 98.31, 1.0)
    assert result.difference == pytest.approx(0.00025011579435, abs=1e-12)
    assert result.is_consistent
    assert [(part.weight, part.value) for part in result.parts] == [(744, 102.0), (672, 104.11), (743, 89.37)]


def test_a_year_from_its_quarters_although_months_exist(hours: Hours) -> None:
    result = strip(frame(*MONTHS, *QUARTERS), YEAR, weight=hours, tick=TICK)
    assert result.value == pytest.approx(90.1194235159817, rel=1e-12)
    assert [part.weight for part in result.parts] == [2159, 2184, 2208, 2209]


def test_weights_by_days_and_alike() -> None:
    by_days = strip(frame(*MONTHS), Q1, weight=lambda first, end: float((end - first).days), tick=TICK)
    assert by_days.value == pytest.approx((31 * 102.0 + 28 * 104.11 + 31 * 89.37) / 90, rel=1e-12)
    alike = strip(frame(*MONTHS), Q1, weight=lambda *_: 1.0, hours=lambda first, end: float((end - first).days), tick=TICK)
    assert alike.value == pytest.approx((102.0 + 104.11 + 89.37) / 3, rel=1e-12)
    assert alike.coverage == 1.0


def test_a_quote_that_no_parts_tile_stands(hours: Hours) -> None:
    result = strip(frame(QUARTERS[0], *MONTHS[:2]), Q1, weight=hours, tick=TICK)
    assert (result.value, result.method, result.difference) == (98.31, StripMethod.QUOTED, 0.0)


def test_a_quote_further_than_a_tick_from_its_parts_is_marked(hours: Hours) -> None:
    result = strip(frame(*MONTHS, span(1, 3, 98.33)), Q1, weight=hours, tick=TICK)
    assert not result.is_consistent
    assert result.difference == pytest.approx(-0.019749884205651824, abs=1e-9)


def test_a_part_of_a_quote_needs_a_build(hours: Hours) -> None:
    quotes = frame(span(7, 3, 87.12))
    bare = strip(quotes, period(8, 1), weight=hours, tick=TICK)
    assert (bare.value, bare.method, bare.coverage) == (None, None, 1.0)
    assert "a build can derive it from 2025-07-01..2025-10-01" in str(bare.reason)
    built = strip(quotes, period(8, 1), weight=hours, tick=TICK, build=lambda _: 86.9)
    assert (built.value, built.method, built.reason) == (86.9, StripMethod.FROM_BUILD, None)


def test_a_missing_part_leaves_no_value_and_says_how_much_is_covered(hours: Hours) -> None:
    result = strip(frame(*MONTHS[:2]), Q1, weight=hours, tick=TICK)
    assert result.value is None
    assert result.coverage == pytest.approx((744 + 672) / 2159)
    assert "first day without one is 2025-03-01" in str(result.reason)
    nothing = strip(frame(), Q1, weight=hours, tick=TICK, build=lambda _: None)
    assert (nothing.value, nothing.coverage) == (None, 0.0)
    assert "no priced quote covers" in str(nothing.reason)


def test_unpriced_parts_are_missing_parts(hours: Hours) -> None:
    quotes = frame(*MONTHS[:2], span(3, 1, None), span(1, 3, float("nan")))
    assert strip(quotes, Q1, weight=hours, tick=TICK).value is None


def test_a_period_without_hours_is_refused() -> None:
    with pytest.raises(NoHours):
        strip(frame(*MONTHS), Q1, weight=lambda *_: 0.0, tick=TICK)
    with pytest.raises(NoHours):
        strip_history(frame(*MONTHS).with_columns(trade_date=date(2024, 1, 1)), Q1, weight=lambda *_: 0.0)


def test_tiling_prefers_few_parts_then_a_long_first_part() -> None:
    a, b, c, d = (date(2025, 1, day) for day in (1, 2, 3, 4))
    assert tiling([(a, b), (b, c), (c, d), (a, c)], a, d) == [(a, c), (c, d)]
    assert tiling([(a, b), (b, d), (a, c), (c, d)], a, d) == [(a, c), (c, d)]
    assert tiling([(a, d), (a, b)], a, d) is None


def test_history_agrees_with_the_strip_of_each_date(hours: Hours) -> None:
    rng = np.random.default_rng(7)
    dates = [date(2024, 1, day) for day in range(1, 21)]
    rows = []
    for trade_date in dates:
        for first, end, price in [*MONTHS, *QUARTERS]:
            if rng.random() < 0.8:
                rows.append((trade_date, first, end, None if rng.random() < 0.1 else price + rng.normal()))
    quotes = pl.DataFrame(rows, {"trade_date": pl.Date, **SCHEMA}, orient="row").sample(fraction=1, shuffle=True, seed=1)
    for each in (Q1, YEAR, period(8, 1), period(13, 1)):
        history = strip_history(quotes, each, weight=hours)
        assert history["trade_date"].to_list() == dates
        for trade_date, value, quoted, difference, method, coverage in history.iter_rows():
            one = strip(quotes.filter(pl.col("trade_date") == trade_date), each, weight=hours, tick=TICK)
            assert (quoted, method, coverage) == (one.quoted, one.method, pytest.approx(one.coverage))
            assert value == (None if one.value is None else pytest.approx(one.value, rel=1e-12))
            assert difference == (None if one.difference is None else pytest.approx(one.difference, abs=1e-12))


@pytest.mark.parametrize(
    ("base", "hours_of_all", "peak", "peak_hours", "expected"),
    [
        (90.84, 720, 105.0, 252, 83.21538461538462),
        (77.95, 745, 90.0, 276, 70.85874200426439),
        (89.37, 743, 88.0, 252, 90.07313645621181),
    ],
)
def test_off_peak_by_hours(base: float, hours_of_all: float, peak: float, peak_hours: float, expected: float) -> None:
    assert off_peak(base, hours_of_all, peak, peak_hours) == pytest.approx(expected, rel=1e-12)


def test_off_peak_needs_hours() -> None:
    with pytest.raises(NoHours):
        off_peak(50.0, 12, 50.0, 12)


def test_quarters_of_all_trade_dates_are_their_months_by_hours(
    settlements: Callable[[str], pl.DataFrame], oracle: Callable[[str], Any], hours: Hours
) -> None:
    expected = oracle("A1")
    pairs = quarters_of(settlements, hours)
    assert (len(pairs), pairs["trade_date"].n_unique()) == (expected["n"], expected["trade_dates"])
    assert (pairs["value"].round(2) == pairs["quoted"]).sum() == expected["round2_equal"]
    assert pairs["difference"].abs().max() == pytest.approx(expected["max_abs"], abs=1e-6)


@pytest.mark.parametrize("weighting", ["days", "equal"])
def test_other_weights_miss_real_quarters(
    settlements: Callable[[str], pl.DataFrame], oracle: Callable[[str], Any], hours: Hours, weighting: str
) -> None:
    weight: Hours = {"days": lambda first, end: float((end - first).days), "equal": lambda *_: 1.0}[weighting]
    expected = oracle("A1")[weighting]
    misses = quarters_of(settlements, weight, hours)["difference"].abs()
    assert (misses <= 0.0051).sum() == expected["<=0.0051"]
    assert misses.max() == pytest.approx(expected["max"], abs=1e-6)
    assert misses.mean() == pytest.approx(expected["mean"], abs=1e-6)


def quarters_of(settlements: Callable[[str], pl.DataFrame], weight: Hours, hours: Hours | None = None) -> pl.DataFrame:
    """Return the strips of quarters from months that have a settlement beside them, of all trade dates."""
    quotes = settlements("MQ").select("trade_date", "delivery_start", "delivery_end", "price")
    quarters = settlements("Q").select("delivery_start", "delivery_end").unique().sort("delivery_start").iter_rows()
    histories = [
        strip_history(quotes, Period(str(first), PeriodKind.QUARTER, first, end), weight=weight, hours=hours).filter(
            pl.col("method") == "from_finer", pl.col("quoted").is_not_null()
        )
        for first, end in quarters
    ]
    return pl.concat(histories)


def test_real_months_that_are_not_quoted(settlements: Callable[[str], pl.DataFrame], hours: Hours) -> None:
    quotes = settlements("MQ").filter(pl.col("trade_date") == date(2024, 10, 14))
    assert "a build can derive it" in str(strip(quotes, period(8, 1), weight=hours, tick=TICK).reason)
    beyond = strip(quotes, period(37, 1), weight=hours, tick=TICK)
    assert (beyond.value, beyond.coverage) == (None, 0.0)
