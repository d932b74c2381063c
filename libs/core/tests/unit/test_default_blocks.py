from collections import Counter

import pytest

from aurum.core.calendars import Block, Calendar, Window, default_blocks, default_calendars, parse_block
from aurum.core.errors import UnknownName

NAMES = {
    "pjm": "America/New_York",
    "nyiso": "America/New_York",
    "isone": "America/New_York",
    "miso": "America/New_York",
    "miso_tariff": "Etc/GMT+5",
    "ercot": "America/Chicago",
    "spp": "America/Chicago",
    "caiso": "America/Los_Angeles",
    "aeso": "America/Edmonton",
    "ieso": "America/Toronto",
    "entsoe": "Europe/Berlin",
    "gb": "Europe/London",
    "aemo": "Etc/GMT-10",
}


def test_calendars_and_the_clocks_they_count_in() -> None:
    assert {calendar.name: calendar.zone for calendar in default_calendars()} == NAMES


@pytest.mark.parametrize("calendar", default_calendars(), ids=lambda calendar: calendar.name)
def test_no_two_blocks_of_a_calendar_answer_to_one_name(calendar: Calendar) -> None:
    names = Counter(name.upper() for block in calendar.blocks for name in (block.name, *block.aliases))
    assert names.most_common(1)[0][1] == 1


@pytest.mark.parametrize("calendar", default_calendars(), ids=lambda calendar: calendar.name)
def test_blocks_count_on_their_calendars_clock(calendar: Calendar) -> None:
    assert {(block.calendar, block.zone, block.holidays) for block in calendar.blocks} == {
        (calendar.name, calendar.zone, calendar.holidays)
    }
    assert all(block.title for block in calendar.blocks)


@pytest.mark.parametrize("name", ["ON_PEAK", "on-peak", "OnPeak", "on peak", "5x16", "5X16", "PEAK"])
def test_block_answers_to_its_name_and_aliases_in_any_spelling(name: str) -> None:
    assert parse_block("PJM", name).name == "ON_PEAK"


@pytest.mark.parametrize("calendar", NAMES)
@pytest.mark.parametrize("name", ["7x24", "ATC", "BASE"])
def test_every_calendar_knows_all_hours(calendar: str, name: str) -> None:
    assert len(parse_block(calendar, name).slots) == 8 * 24


def test_european_peak_takes_no_notice_of_holidays() -> None:
    assert parse_block("entsoe", "PEAK").holidays == "none"
    assert parse_block("entsoe", "PEAK").windows == (Window(("mon", "tue", "wed", "thu", "fri"), tuple(range(9, 21))),)


def test_efa_blocks_divide_the_day() -> None:
    slots = [parse_block("gb", f"EFA{number}").slots for number in range(1, 7)]
    assert [len(block) for block in slots] == [4 * 8] * 6
    assert frozenset().union(*slots) == parse_block("gb", "BASE").slots


def test_unknown_block_names_the_nearest_of_its_calendar() -> None:
    with pytest.raises(UnknownName) as caught:
        parse_block("caiso", "5x16")
    assert "6x16" in caught.value.nearest
    assert "caiso" in str(caught.value)


def test_unknown_calendar_names_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        parse_block("ercott", "ON_PEAK")
    assert caught.value.nearest[0] == "ercot"


def test_name_near_to_nothing_gets_the_whole_list() -> None:
    with pytest.raises(UnknownName) as caught:
        parse_block("aemo", "QQQ")
    assert caught.value.nearest == ("7x24", "ATC", "BASE", "RTC")


def test_blocks_of_a_user_come_first() -> None:
    own = Block("pjm", "ON_PEAK", "America/New_York", (Window(("mon",), (8,)),))
    assert parse_block("pjm", "ON_PEAK", (own, *default_blocks())) is own
    assert parse_block("pjm", "5x16", (own, *default_blocks())) is not own
