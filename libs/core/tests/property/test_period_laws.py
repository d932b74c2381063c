"""Labels name one span each, spans tile the time, and the hours of a block are those of a clock read hour by hour."""

from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aurum.core.calendars import Block, Holidays, default_blocks, nerc_holidays
from aurum.core.calendars.blocks import DAYS
from aurum.core.curves.calendars import (
    DeliveryCalendar,
    day_edges,
    day_hours,
    default_delivery_calendars,
    hours,
    parse_delivery_calendar,
)
from aurum.core.curves.grids import Resolution, block_of_grid, make_grid
from aurum.core.curves.period_labels import InvalidPeriod, add_months
from aurum.core.curves.periods import Period, PeriodKind, name_period, parse_period
from aurum.core.curves.seasons import SeasonFamily, default_season_families
from aurum.core.curves.sessions import is_session, session_before, sessions_of

DAY = timedelta(days=1)
days = st.dates(date(1971, 1, 1), date(2190, 12, 31))
near = st.dates(date(2000, 1, 1), date(2040, 12, 31))
families = st.sampled_from(default_season_families())
calendars = st.sampled_from(default_delivery_calendars())


def months(year: int, month: int, count: int) -> tuple[date, date]:
    first = date(year, month, 1)
    return first, add_months(first, count)


spans = st.one_of(
    st.tuples(days, st.integers(1, 800)).map(lambda drawn: (drawn[0], drawn[0] + drawn[1] * DAY)),
    st.builds(months, st.integers(1971, 2190), st.integers(1, 12), st.sampled_from([1, 2, 3, 5, 6, 7, 12, 24])),
    days.map(lambda day: (day - day.weekday() * DAY, day + (7 - day.weekday()) * DAY)),
    days.map(lambda day: (day + (5 - day.weekday()) * DAY, day + (7 - day.weekday()) * DAY)),
)
span_near = st.tuples(near, st.integers(0, 400)).map(lambda drawn: (drawn[0], drawn[0] + drawn[1] * DAY))
trade_dates = st.one_of(st.none(), days)


@given(spans, families, trade_dates)
def test_a_label_is_read_back_as_its_period(span: tuple[date, date], seasons: SeasonFamily, trade_date: date | None) -> None:
    period = name_period(*span, seasons=seasons, trade_date=trade_date)
    for text in (period.label, period.label.lower(), period.label.upper(), f"  {period.label} "):
        assert parse_period(text, seasons=seasons, trade_date=trade_date) == period


@given(days, families)
@example(date(2024, 12, 31), default_season_families()[0])
@example(date(2024, 2, 1), default_season_families()[0])
def test_the_rest_of_a_month_or_a_year_is_read_back(trade_date: date, seasons: SeasonFamily) -> None:
    for text, same in (("BOM", lambda day: (day.year, day.month)), ("BOY", lambda day: day.year)):
        if same(trade_date) != same(trade_date + DAY):
            with pytest.raises(InvalidPeriod, match="is left after"):
                parse_period(text, seasons=seasons, trade_date=trade_date)
            continue
        period = parse_period(text, seasons=seasons, trade_date=trade_date)
        assert parse_period(period.label, seasons=seasons, trade_date=trade_date) == period
        assert trade_date <= period.first <= trade_date + DAY
        assert same(trade_date) == same(period.first) == same(period.end - DAY) != same(period.end)


@given(days, families)
def test_every_kind_of_period_tiles_the_time(day: date, seasons: SeasonFamily) -> None:
    for label in labels_of(day):
        period = parse_period(label, seasons=seasons)
        assert period.first <= day < period.end
        if period.end.year < 2190:
            assert following(period, seasons).first == period.end


def labels_of(day: date) -> list[str]:
    iso = day.isocalendar()
    return [
        f"{day.year}",
        f"{day.year}H{(day.month + 5) // 6}",
        f"{day.year}Q{(day.month + 2) // 3}",
        f"{day.year}-{day.month:02d}",
        f"{iso.year}-W{iso.week:02d}",
        f"{day}",
    ]


def following(period: Period, seasons: SeasonFamily) -> Period:
    """Return the period of the same kind in which the end of a period lies."""
    kinds = (PeriodKind.YEAR, PeriodKind.HALF, PeriodKind.QUARTER, PeriodKind.MONTH, PeriodKind.WEEK, PeriodKind.DAY)
    label = dict(zip(kinds, labels_of(period.end), strict=True))[period.kind]
    return parse_period(label, seasons=seasons)


@given(st.integers(1971, 2190), st.sampled_from(["europe", "us_gas"]))
def test_summers_and_winters_tile_the_time(year: int, name: str) -> None:
    seasons = next(family for family in default_season_families() if family.name == name)
    summer, winter, later = (
        parse_period(f"{season} {number}", seasons=seasons)
        for season, number in (("Summer", year), ("Winter", year), ("Summer", year + 1))
    )
    assert (summer.end, winter.end) == (winter.first, later.first)


@given(calendars, span_near)
@settings(max_examples=settings().max_examples // 2)
def test_hours_of_days_add_up_to_the_time_between_their_instants(calendar: DeliveryCalendar, span: tuple[date, date]) -> None:
    start, end = calendar.bounds(*span)
    edges = day_edges(calendar, *span)
    assert day_hours(calendar, *span).sum() == hours(calendar, *span) == (end - start) / timedelta(hours=1)
    assert [edge.replace(tzinfo=UTC) for edge in edges[[0, -1]].tolist()] == [start, end]
    assert np.allclose(np.diff(edges).astype(np.int64) / 3.6e9, day_hours(calendar, *span))


@given(calendars, near)
@settings(max_examples=settings().max_examples // 2)
def test_each_day_begins_where_the_vectors_say(calendar: DeliveryCalendar, day: date) -> None:
    start = calendar.start_of(day)
    assert day_edges(calendar, day, day)[0].item().replace(tzinfo=UTC) == start
    assert calendar.day_of(start) == day
    assert calendar.day_of(start - timedelta(seconds=1)) == day - DAY
    assert start.astimezone(ZoneInfo(calendar.zone)).time() == calendar.day_start


WITH_BLOCKS = [
    (calendar, block)
    for calendar in default_delivery_calendars()
    for block in default_blocks()
    if block.calendar == calendar.blocks
]


@given(st.sampled_from(WITH_BLOCKS), near)
@settings(max_examples=settings().max_examples // 2)
@example((parse_delivery_calendar("eu_power"), default_blocks()[0]), date(2025, 3, 30))
def test_hours_of_a_block_are_those_of_a_clock_read_hour_by_hour(pair: tuple[DeliveryCalendar, Block], first: date) -> None:
    calendar, block = pair
    end = first + 3 * DAY
    instant, stop = calendar.bounds(first, end)
    count = 0
    while instant < stop:
        local = instant.astimezone(ZoneInfo(block.zone))
        is_holiday = block.holidays is Holidays.NERC and local.date() in nerc_holidays(local.year)
        kind = len(DAYS) - 1 if is_holiday else local.weekday()
        count += kind * 24 + local.hour in block.slots
        instant += timedelta(hours=1)
    assert hours(calendar, first, end, block) == count
    for resolution in Resolution:
        grid = make_grid(calendar, first, end, resolution)
        assert block_of_grid(grid, block).sum() == count


@pytest.mark.parametrize("calendar", ["XEEE", "NYMEX", "CMES", "IEPA", "XLON"])
@given(st.dates(date(2000, 2, 1), date(2035, 11, 30)))
@settings(max_examples=settings().max_examples // 4)
def test_no_session_lies_between_a_day_and_the_session_before_it(calendar: str, day: date) -> None:
    before, own = session_before(calendar, day), (day,) if is_session(calendar, day) else ()
    assert sessions_of(calendar, before, day + DAY) == (before, *own)
