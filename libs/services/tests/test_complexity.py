"""Estimates of the size of a question, before anything is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.core.asof import Span
from aurum.core.frequency import Frequency
from aurum.core.keys import SeriesKey
from aurum.core.series.model import Series, SeriesSpec
from aurum.services.observations.complexity import TooManyPoints, check_points, estimated_points

FIRST = datetime(2020, 1, 1, tzinfo=UTC)
LAST = datetime(2025, 1, 1, tzinfo=UTC)
HOURS = (LAST - FIRST) // timedelta(hours=1)


def series(frequency: Frequency = Frequency.HOUR, *, empty: bool = False) -> Series:
    spec = SeriesSpec(SeriesKey.parse("nyiso:pal:61761:load"), "MW", frequency, "UTC")
    return Series(1, spec, 1, None if empty else FIRST, None if empty else LAST, None)


def span(days: int) -> Span:
    return Span(datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=days))


def test_an_hourly_series_has_24_points_a_day() -> None:
    assert estimated_points([series()], span(10)) in range(240, 243)
    assert estimated_points([series()] * 3, span(10)) in range(720, 728)


def test_open_ends_end_with_the_data() -> None:
    assert estimated_points([series()], Span()) == HOURS + 1
    assert estimated_points([series()], Span(LAST - timedelta(hours=4), None)) == 5
    assert estimated_points([series()], Span(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))) == HOURS + 1


def test_what_holds_nothing_costs_nothing() -> None:
    assert estimated_points([series(empty=True)], Span()) == 0
    assert estimated_points([series()], Span(LAST + timedelta(days=1), None)) == 0


def test_days_made_of_hours_cost_the_hours_and_minutes_made_of_hours_cost_the_minutes() -> None:
    hours = estimated_points([series()], span(10))
    assert estimated_points([series()], span(10), Frequency.DAY) == hours
    assert estimated_points([series()], span(10), Frequency.MIN_15) in range(4 * hours - 4, 4 * hours + 4)


def test_a_refusal_says_how_many_there_would_be_and_how_many_there_may() -> None:
    with pytest.raises(
        TooManyPoints, match=r"2 series over this span are about 87,\d{3} observations.*may span 50,000"
    ) as caught:
        check_points([series(), series()], Span(), None, most=50_000)
    assert caught.value.facts["limit"] == 50_000
    assert caught.value.facts["series"] == 2
    check_points([series()], Span(), None, most=50_000)


@given(
    st.sampled_from(list(Frequency)), st.integers(0, 2000), st.integers(0, 2000), st.none() | st.sampled_from(list(Frequency))
)
def test_a_longer_span_never_asks_for_less(frequency: Frequency, days: int, more: int, freq: Frequency | None) -> None:
    """The law: the estimate rises with the span, with the number of series, and is never below 0."""
    one = [series(frequency)]
    short, long = estimated_points(one, span(days), freq), estimated_points(one, span(days + more), freq)
    assert 0 <= short <= long
    assert estimated_points(one * 2, span(days), freq) == 2 * short
