"""Blocks of a calendar divide the hours among them without overlap, whatever the days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurum.core.calendars import (
    Block,
    Calendar,
    Holidays,
    Window,
    block_hours,
    block_mask,
    count_hours,
    default_calendars,
    nerc_holidays,
    parse_block,
)
from aurum.core.calendars.blocks import DAYS
from aurum.core.markettime import hours_in_day

CALENDARS = {calendar.name: calendar for calendar in default_calendars()}
PARTITIONS = [("ON_PEAK", "OFF_PEAK"), ("5x16", "2x16", "7x8"), ("6x16", "1x16", "7x8"), ("7x16", "7x8")]


def known(calendar: Calendar, names: tuple[str, ...]) -> bool:
    return set(names) <= {name for block in calendar.blocks for name in (block.name, *block.aliases)}


CASES = [(name, names) for name, calendar in CALENDARS.items() for names in PARTITIONS if known(calendar, names)]
ranges = st.tuples(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 400)).map(
    lambda drawn: (drawn[0], drawn[0] + timedelta(days=drawn[1]))
)
blocks = st.builds(
    Block,
    calendar=st.just("any"),
    name=st.just("ANY"),
    zone=st.sampled_from(["America/New_York", "Europe/Berlin", "Etc/GMT+5", "Asia/Kolkata"]),
    windows=st.lists(
        st.builds(
            Window,
            days=st.lists(st.sampled_from(DAYS), min_size=1).map(tuple),
            hours=st.lists(st.integers(1, 24), min_size=1).map(tuple),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    holidays=st.sampled_from(Holidays),
)


def test_the_partitions_of_every_market_are_tried() -> None:
    assert {calendar for calendar, names in CASES if "OFF_PEAK" in names} == set(CALENDARS) - {"aemo"}
    assert {calendar for calendar, names in CASES if "7x8" in names} == set(CALENDARS) - {"aemo", "entsoe", "gb"}


@pytest.mark.parametrize(("calendar", "names"), CASES, ids=str)
@given(ranges)
@settings(max_examples=settings().max_examples // 10)
def test_blocks_part_all_hours_without_overlap(calendar: str, names: tuple[str, ...], days: tuple[date, date]) -> None:
    parts = [block_hours(parse_block(calendar, name), *days) for name in names]
    every_hour = block_hours(parse_block(calendar, "7x24"), *days)
    assert pl.concat(parts).sort("ts").equals(every_hour)


@given(st.sampled_from(sorted(CALENDARS)), ranges)
@settings(max_examples=settings().max_examples * 2 // 5)
def test_all_hours_are_the_hours_of_the_days(calendar: str, days: tuple[date, date]) -> None:
    start, end = days
    each_day = (start + timedelta(days=n) for n in range((end - start).days))
    expected = sum(hours_in_day(day, CALENDARS[calendar].zone) for day in each_day)
    assert count_hours(parse_block(calendar, "7x24"), start, end) == expected


@given(blocks, ranges)
@settings(max_examples=settings().max_examples * 2 // 5)
def test_counts_of_two_ranges_add_up(block: Block, days: tuple[date, date]) -> None:
    start, end = days
    middle = start + (end - start) / 2
    assert count_hours(block, start, middle) + count_hours(block, middle, end) == count_hours(block, start, end)


@given(blocks)
def test_any_block_is_read_from_its_document(block: Block) -> None:
    assert Block.from_document(block.to_document()) == block


@given(blocks, st.lists(st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2090-01-01")), max_size=30))
def test_mask_agrees_with_the_definition_read_hour_by_hour(block: Block, naive: list[datetime]) -> None:
    instants = [instant.replace(tzinfo=UTC) for instant in naive]
    ts = pl.Series("ts", instants, dtype=pl.Datetime("us", "UTC"))
    assert block_mask(ts, block).to_list() == [_belongs(instant, block) for instant in instants]


def _belongs(instant: datetime, block: Block) -> bool:
    local = instant.astimezone(ZoneInfo(block.zone))
    holiday = block.holidays is Holidays.NERC and local.date() in nerc_holidays(local.year)
    kind = "holiday" if holiday else DAYS[local.weekday()]
    return any(kind in window.days and local.hour + 1 in window.hours for window in block.windows)
