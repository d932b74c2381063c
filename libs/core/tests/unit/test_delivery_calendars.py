from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import numpy as np
import pytest

from aurum.core.asof import InvalidSpan
from aurum.core.calendars import default_calendars, parse_block
from aurum.core.curves.calendars import (
    DeliveryCalendar,
    day_edges,
    day_hours,
    default_delivery_calendars,
    hours,
    parse_delivery_calendar,
)
from aurum.core.curves.documents import InvalidDocument
from aurum.core.errors import UnknownName

DAY = timedelta(days=1)
US_MARKETS = ["pjm", "nyiso", "isone", "miso", "miso_tariff", "ercot", "spp"]
TOTALS = {2024: (4096, 4688), 2025: (4080, 4680), 2026: (4096, 4664), 2027: (4096, 4664)}
CAISO = {2024: (4928, 3856), 2025: (4912, 3848), 2026: (4912, 3848), 2027: (4912, 3848)}
PEAK = {2024: (3144, 5640), 2025: (3132, 5628), 2026: (3132, 5628), 2027: (3132, 5628)}


def block_hours(name: str, block: str, first: date, end: date) -> float:
    calendar = parse_delivery_calendar(name)
    assert calendar.blocks is not None
    return hours(calendar, first, end, parse_block(calendar.blocks, block))


def year(name: str, block: str, number: int) -> float:
    return block_hours(name, block, date(number, 1, 1), date(number + 1, 1, 1))


@pytest.mark.parametrize("market", US_MARKETS)
@pytest.mark.parametrize("number", TOTALS)
def test_hours_of_5x16_of_a_year(market: str, number: int) -> None:
    assert (year(f"{market}_power", "ON_PEAK", number), year(f"{market}_power", "OFF_PEAK", number)) == TOTALS[number]


@pytest.mark.parametrize("number", CAISO)
def test_hours_of_6x16_of_a_year(number: int) -> None:
    assert (year("caiso_power", "ON_PEAK", number), year("caiso_power", "OFF_PEAK", number)) == CAISO[number]


@pytest.mark.parametrize("name", ["eu_power", "gb_power"])
@pytest.mark.parametrize("number", PEAK)
def test_hours_of_5x12_of_a_year_include_public_holidays(name: str, number: int) -> None:
    assert (year(name, "PEAK", number), year(name, "OFF_PEAK", number)) == PEAK[number]


@pytest.mark.parametrize(
    ("name", "block", "month", "expected"),
    [
        ("pjm_power", "7x24", date(2025, 3, 1), 743),
        ("pjm_power", "ON_PEAK", date(2025, 3, 1), 336),
        ("pjm_power", "2x16", date(2025, 3, 1), 160),
        ("pjm_power", "7x8", date(2025, 3, 1), 247),
        ("pjm_power", "7x24", date(2025, 11, 1), 721),
        ("pjm_power", "7x8", date(2025, 11, 1), 241),
        ("miso_tariff_power", "7x24", date(2025, 11, 1), 720),
        ("miso_tariff_power", "7x8", date(2025, 11, 1), 240),
        ("eu_power", "BASE", date(2024, 10, 1), 745),
        ("eu_power", "PEAK", date(2024, 10, 1), 276),
        ("gb_power", "BASE", date(2024, 3, 1), 743),
        ("gb_power", "EFA1", date(2024, 3, 1), 31 * 4 - 1),
        ("gb_power", "EFA6", date(2024, 10, 1), 31 * 4),
        ("gb_power", "EXTENDED_PEAK", date(2024, 10, 1), 23 * 16),
    ],
)
def test_hours_of_a_month(name: str, block: str, month: date, expected: float) -> None:
    assert block_hours(name, block, month, (month + 31 * DAY).replace(day=1)) == expected


def test_on_peak_of_every_month_of_a_year() -> None:
    firsts = [date(2026, month, 1) for month in range(1, 13)] + [date(2027, 1, 1)]
    months = list(pairwise(firsts))
    pjm = [336, 320, 352, 352, 320, 352, 368, 336, 336, 352, 320, 352]
    caiso = [416, 384, 416, 416, 400, 416, 416, 416, 400, 432, 384, 416]
    assert [block_hours("pjm_power", "ON_PEAK", *month) for month in months] == pjm
    assert [block_hours("caiso_power", "ON_PEAK", *month) for month in months] == caiso


@pytest.mark.parametrize(
    ("name", "day", "start", "end", "length"),
    [
        ("eu_gas", date(2025, 3, 29), "2025-03-29T05:00", "2025-03-30T04:00", 23),
        ("eu_gas", date(2025, 3, 30), "2025-03-30T04:00", "2025-03-31T04:00", 24),
        ("eu_gas", date(2025, 10, 25), "2025-10-25T04:00", "2025-10-26T05:00", 25),
        ("uk_gas", date(2025, 3, 29), "2025-03-29T05:00", "2025-03-30T04:00", 23),
        ("us_gas", date(2025, 11, 1), "2025-11-01T14:00", "2025-11-02T15:00", 25),
        ("us_gas", date(2024, 3, 9), "2024-03-09T15:00", "2024-03-10T14:00", 23),
        ("gb_power", date(2025, 10, 26), "2025-10-25T22:00", "2025-10-26T23:00", 25),
        ("gb_power", date(2025, 1, 1), "2024-12-31T23:00", "2025-01-01T23:00", 24),
        ("eu_power", date(2025, 3, 30), "2025-03-29T23:00", "2025-03-30T22:00", 23),
        ("oil", date(2025, 3, 30), "2025-03-30T00:00", "2025-03-31T00:00", 24),
    ],
)
def test_a_delivery_day_has_its_hours(name: str, day: date, start: str, end: str, length: float) -> None:
    calendar = parse_delivery_calendar(name)
    expected = tuple(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end))
    assert calendar.bounds(day, day + DAY) == expected
    assert hours(calendar, day, day + DAY) == length
    assert day_hours(calendar, day, day + DAY).tolist() == [length]
    assert calendar.day_of(expected[0]) == day
    assert calendar.day_of(expected[1] - timedelta(microseconds=1)) == day
    assert calendar.day_of(expected[1]) == day + DAY


@pytest.mark.parametrize("first", [date(2021, 3, 22), date(2024, 3, 25), date(2025, 3, 24)])
def test_the_week_in_which_summer_time_begins_has_167_hours(first: date) -> None:
    assert hours(parse_delivery_calendar("eu_power"), first, first + 7 * DAY) == 167


def test_days_of_a_span_add_up_over_years() -> None:
    calendar = parse_delivery_calendar("gb_power")
    first, end = date(2019, 6, 3), date(2031, 2, 2)
    edges = day_edges(calendar, first, end)
    assert len(edges) == (end - first).days + 1
    assert edges[0].item() == calendar.start_of(first).replace(tzinfo=None)
    assert edges[-1].item() == calendar.start_of(end).replace(tzinfo=None)
    assert day_hours(calendar, first, end).sum() == hours(calendar, first, end)


def test_a_span_without_a_day_has_no_hours() -> None:
    calendar, block = parse_delivery_calendar("eu_power"), parse_block("entsoe", "PEAK")
    assert hours(calendar, date(2025, 1, 1), date(2025, 1, 1), block) == 0
    assert len(day_hours(calendar, date(2025, 1, 1), date(2025, 1, 1))) == 0
    assert len(day_edges(calendar, date(2025, 1, 1), date(2025, 1, 1))) == 1


def test_a_span_that_runs_backward_is_refused() -> None:
    calendar = parse_delivery_calendar("eu_power")
    for measure in (hours, day_hours, day_edges, DeliveryCalendar.bounds):
        with pytest.raises(InvalidSpan, match="2025-01-02"):
            measure(calendar, date(2025, 1, 2), date(2025, 1, 1))


def test_cached_hours_cannot_be_changed() -> None:
    whole = day_hours(parse_delivery_calendar("eu_power"), date(2025, 1, 1), date(2026, 1, 1))
    whole[:] = 0
    assert day_hours(parse_delivery_calendar("eu_power"), date(2025, 1, 1), date(2026, 1, 1)).sum() == 8760


def test_blocks_of_a_clock_with_half_hours_are_counted_in_quarters() -> None:
    # A day from 00:00 UTC begins at 05:30 in Kolkata: HE 06 holds its first half hour and, at its end, another one.
    calendar = DeliveryCalendar("x", "Days of UTC", "UTC", blocks="aemo")
    whole = parse_block("pjm", "7x16")
    block = type(whole)("x", "NIGHT", "Asia/Kolkata", (type(whole.windows[0])(hours=(6,)),))
    assert day_hours(calendar, date(2025, 1, 1), date(2025, 1, 3), block).tolist() == [1.0, 1.0]
    half_past = DeliveryCalendar("y", "Days from 00:30 UTC", "UTC", time(0, 30))
    assert day_hours(half_past, date(2025, 1, 1), date(2025, 1, 2), block).tolist() == [1.0]


def test_a_day_of_a_clock_that_changes_by_half_an_hour() -> None:
    calendar = DeliveryCalendar("x", "Lord Howe Island", "Australia/Lord_Howe")
    assert hours(calendar, date(2025, 4, 6), date(2025, 4, 7)) == 24.5
    assert day_hours(calendar, date(2025, 10, 5), date(2025, 10, 7)).tolist() == [23.5, 24.0]


def test_seeded_calendars() -> None:
    calendars = {calendar.name: calendar for calendar in default_delivery_calendars()}
    assert {"eu_power", "gb_power", "eu_gas", "uk_gas", "us_gas", "oil", "emissions", "rate"} < set(calendars)
    assert {calendars[f"{market}_power"].blocks for market in [*US_MARKETS, "caiso"]} == {*US_MARKETS, "caiso"}
    zones = {calendar.name: calendar.zone for calendar in default_calendars()}
    assert all(calendar.zone == zones[calendar.blocks] for calendar in calendars.values() if calendar.blocks)


def test_an_unknown_calendar_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="eu_power"):
        parse_delivery_calendar("eu_powr")


def test_a_calendar_of_a_user_comes_first() -> None:
    own = DeliveryCalendar("oil", "Oil in New York", "America/New_York")
    assert parse_delivery_calendar("oil", (own, *default_delivery_calendars())) is own


@pytest.mark.parametrize("calendar", default_delivery_calendars(), ids=lambda calendar: calendar.name)
def test_a_calendar_is_read_from_its_document(calendar: DeliveryCalendar) -> None:
    assert DeliveryCalendar.from_document(calendar.to_document()) == calendar


@pytest.mark.parametrize(
    ("change", "field", "why"),
    [
        ({"zone": "Europe/Berlyn"}, "zone", "Europe/Berlin"),
        ({"zone": None}, "zone", "is missing"),
        ({"name": "a b"}, "name", "letters"),
        ({"title": " "}, "title", "must not be empty"),
        ({"title": 5}, "title", "must be a text"),
        ({"day_start": "25:00"}, "day_start", "time of a day"),
        ({"day_start": "06:10"}, "day_start", "15 minutes"),
        ({"day_offset": 1}, "day_offset", "must be one of 0, -1"),
        ({"day_offset": True}, "day_offset", "whole number"),
        ({"blocks": "enstoe"}, "blocks", "entsoe"),
        ({"hours": 24}, "hours", "unknown member"),
    ],
)
def test_a_wrong_document_is_refused_by_its_member(change: dict[str, object], field: str, why: str) -> None:
    document = parse_delivery_calendar("eu_gas").to_document() | change
    with pytest.raises(InvalidDocument, match=why) as caught:
        DeliveryCalendar.from_document(document)
    assert caught.value.facts["field"] == field


def test_a_calendar_may_use_the_blocks_of_a_user() -> None:
    document = parse_delivery_calendar("eu_power").to_document() | {"blocks": "mine"}
    assert DeliveryCalendar.from_document(document, block_calendars=["mine"]).blocks == "mine"


def test_hours_are_arrays_of_floats() -> None:
    assert day_hours(parse_delivery_calendar("eu_gas"), date(2025, 1, 1), date(2025, 2, 1)).dtype == np.float64
