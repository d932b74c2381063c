from datetime import date

import numpy as np
import polars as pl
import pytest

from aurum.core.curves.continuous import Adjust, ContinuousSeries, Missing, NotPositive, continuous, with_finer
from aurum.core.curves.rolls import Fronts, RollRule, RollTerms, fronts
from aurum.core.curves.tenors import parse_tenor

SCHEMA = {"trade_date": pl.Date, "delivery_start": pl.Date, "delivery_end": pl.Date, "price": pl.Float64}
OCT, NOV, DEC, JAN = (date(2024, 10, 1), date(2024, 11, 1), date(2024, 12, 1), date(2025, 1, 1))
DAYS = (date(2024, 9, 27), date(2024, 9, 30), date(2024, 10, 1), date(2024, 10, 2), date(2024, 11, 1))
QUOTES: list[tuple[date, date, date, float | None]] = [
    (DAYS[0], OCT, NOV, 80.0), (DAYS[0], NOV, DEC, 90.0),
    (DAYS[1], OCT, NOV, 78.0), (DAYS[1], NOV, DEC, 88.5),
    (DAYS[2], OCT, NOV, 77.0), (DAYS[2], NOV, DEC, 89.0),
    (DAYS[3], NOV, DEC, 91.0), (DAYS[3], DEC, JAN, 81.0),
    (DAYS[4], NOV, DEC, 91.5), (DAYS[4], DEC, JAN, 80.0),
]  # fmt: skip


def front(tenor: str = "M+1", days: tuple[date, ...] = DAYS) -> Fronts:
    return fronts(np.array(days, "datetime64[D]"), parse_tenor(tenor), RollRule(), RollTerms())


def quotes(rows: list[tuple[date, date, date, float | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, SCHEMA, orient="row")


def series(adjust: Adjust = Adjust.NONE, rows: list[tuple[date, date, date, float | None]] | None = None) -> ContinuousSeries:
    return continuous(quotes(rows or QUOTES), front(), adjust)


def test_a_gap_is_measured_on_the_last_session_of_the_old_front() -> None:
    made = series()
    assert made.frame["price"].to_list() == [80.0, 78.0, 89.0, 91.0, 80.0]
    assert [(one.date, one.last, one.old_price, one.new_price, one.gap) for one in made.rolls] == [
        (DAYS[2], DAYS[1], 78.0, 88.5, 10.5),
        (DAYS[4], DAYS[3], 91.0, 81.0, -10.0),
    ]
    assert made.rolls[0].ratio == pytest.approx(88.5 / 78.0)
    assert made.frame["move"].to_list() == [None, -2.0, 0.5, 2.0, -1.0]
    assert (made.points, made.naive, made.held, made.gaps) == (5, 0.0, -0.5, 0.5)


def test_earlier_prices_are_adjusted_and_the_newest_front_is_not() -> None:
    by_difference = series(Adjust.DIFFERENCE).frame["value"].to_list()
    assert by_difference == [80.5, 78.5, 79.0, 81.0, 80.0]
    ratios = 88.5 / 78.0, 81.0 / 91.0
    by_ratio = series(Adjust.RATIO).frame["value"].to_list()
    assert by_ratio == pytest.approx([80 * ratios[0] * ratios[1], 78 * ratios[0] * ratios[1], 89 * ratios[1], 81.0, 80.0])
    assert series().frame["value"].to_list() == series().frame["price"].to_list()


@pytest.mark.parametrize("price", [0.0, -5.0])
def test_ratios_of_prices_that_are_not_positive_are_refused(price: float) -> None:
    rows = [(day, first, end, price if day == DAYS[1] else value) for day, first, end, value in QUOTES]
    with pytest.raises(NotPositive, match="2024-09-30") as refused:
        series(Adjust.RATIO, rows)
    assert refused.value.facts["price"] == price
    assert series(Adjust.DIFFERENCE, rows).held is not None


def test_a_missing_price_is_null_with_the_reason_and_moves_span_it() -> None:
    rows = [row for row in QUOTES if row[:2] != (DAYS[3], NOV)]
    made = series(rows=rows)
    assert made.frame["reason"].to_list() == [None, None, None, Missing.NOT_QUOTED, None]
    # The last session on which November has a price is now 1 October, where December has none.
    assert (made.rolls[1].last, made.rolls[1].gap, made.held, made.gaps) == (DAYS[2], None, None, None)
    assert made.naive == 0.0
    unpriced = [(*row[:3], None) if row[:2] == (DAYS[0], OCT) else row for row in QUOTES]
    made = series(rows=unpriced)
    assert made.frame["reason"].to_list()[0] == Missing.UNPRICED
    assert (made.points, made.naive) == (4, 2.0)


def test_prices_before_an_unknown_gap_have_no_adjusted_value() -> None:
    rows = [row for row in QUOTES if row[:2] != (DAYS[1], NOV)]
    values = series(Adjust.DIFFERENCE, rows).frame["value"].to_list()
    assert values == [None, None, 79.0, 81.0, 80.0]
    assert series(Adjust.DIFFERENCE, rows).frame["move"].to_list() == [None, -2.0, None, 2.0, -1.0]


def test_a_front_that_finer_quotes_cover_says_so_and_is_not_averaged() -> None:
    of_quarter = front("Q+1", DAYS[2:4])
    feb, mar, apr = (date(2025, month, 1) for month in (2, 3, 4))
    finer = quotes([(DAYS[2], JAN, feb, 1.0), (DAYS[2], feb, mar, 2.0), (DAYS[2], mar, apr, 3.0), (DAYS[3], JAN, feb, 1.0)])
    made = continuous(finer, of_quarter)
    assert made.frame["reason"].to_list() == [Missing.NOT_QUOTED] * 2
    assert with_finer(made.frame, finer)["reason"].to_list() == [Missing.COVERED_BY_FINER, Missing.NOT_QUOTED]
    assert with_finer(made.frame, finer)["price"].null_count() == 2


def test_the_rest_of_a_month_rolls_into_the_next_month() -> None:
    days = (date(2024, 9, 27), date(2024, 9, 29), date(2024, 9, 30), date(2024, 10, 1), date(2024, 10, 2))
    rows: list[tuple[date, date, date, float | None]] = [
        (days[0], date(2024, 9, 28), OCT, 50.0),
        (days[1], date(2024, 9, 30), OCT, 52.0),
        (days[1], OCT, NOV, 70.0),
        (days[3], OCT, NOV, 71.0),
        (days[4], date(2024, 10, 3), NOV, 72.5),
    ]
    made = continuous(quotes(rows), front("BOM", days))
    assert made.frame["price"].to_list() == [50.0, 52.0, None, 71.0, 72.5]
    assert made.frame["reason"].to_list()[2] == Missing.NOTHING_LEFT
    assert [(one.last, one.gap) for one in made.rolls] == [(days[1], 18.0)]
    assert made.frame["move"].to_list() == [None, 2.0, None, 1.0, 1.5]


def test_a_curve_without_trade_dates_or_without_the_front_has_no_changes() -> None:
    nothing = continuous(quotes([]), front(days=()))
    assert (nothing.points, nothing.naive, nothing.held, nothing.rolls) == (0, None, None, ())
    made = continuous(quotes(QUOTES), front("M+9"))
    assert (made.points, made.naive, made.gaps) == (0, None, None)
