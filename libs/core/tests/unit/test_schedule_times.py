"""Instants of cron expressions and intervals, over changes of clocks."""

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aurum.core.schedule.times import Cron, Every, InvalidSchedule

NEW_YORK = "America/New_York"


def local(expression: str, zone: str, first: datetime, last: datetime) -> list[str]:
    """Return what the clock of a zone shows at each due instant between two local times, with the offset."""
    place = ZoneInfo(zone)
    begin, end = (at.replace(tzinfo=place).astimezone(UTC) for at in (first, last))
    due = takewhile(lambda at: at < end, Cron(expression, zone).after(begin - timedelta(seconds=1)))
    return [f"{at.astimezone(place):%d %H:%M %z}" for at in due]


def test_a_fixed_time_that_clocks_skip_is_due_when_they_change() -> None:
    due = local("30 2 * * *", NEW_YORK, datetime(2026, 3, 7), datetime(2026, 3, 10))
    assert due == ["07 02:30 -0500", "08 03:00 -0400", "09 02:30 -0400"]


def test_two_fixed_times_in_one_skipped_hour_are_due_once() -> None:
    due = local("15,45 2,3 * * *", NEW_YORK, datetime(2026, 3, 8), datetime(2026, 3, 9))
    assert due == ["08 03:00 -0400", "08 03:15 -0400", "08 03:45 -0400"]


def test_a_fixed_time_that_clocks_show_twice_is_due_the_first_time() -> None:
    due = local("30 1 * * *", NEW_YORK, datetime(2026, 10, 31), datetime(2026, 11, 3))
    assert due == ["31 01:30 -0400", "01 01:30 -0400", "02 01:30 -0500"]


def test_half_past_two_is_due_once_on_the_day_of_25_hours() -> None:
    due = local("30 2 * * *", NEW_YORK, datetime(2026, 11, 1), datetime(2026, 11, 2))
    assert due == ["01 02:30 -0500"]


def test_in_berlin_half_past_two_occurs_twice_in_autumn() -> None:
    due = local("30 2 * * *", "Europe/Berlin", datetime(2026, 10, 25), datetime(2026, 10, 27))
    assert due == ["25 02:30 +0200", "26 02:30 +0100"]


def test_quarters_of_an_hour_go_on_through_the_repeated_hour() -> None:
    due = local("*/30 * * * *", NEW_YORK, datetime(2026, 11, 1, 0, 30), datetime(2026, 11, 1, 2, 30))
    assert due == [
        "01 00:30 -0400",
        "01 01:00 -0400",
        "01 01:30 -0400",
        "01 01:00 -0500",
        "01 01:30 -0500",
        "01 02:00 -0500",
    ]


def test_quarters_of_a_skipped_hour_do_not_occur() -> None:
    due = local("*/30 1-3 * * *", NEW_YORK, datetime(2026, 3, 8), datetime(2026, 3, 9))
    assert due == ["08 01:00 -0500", "08 01:30 -0500", "08 03:00 -0400", "08 03:30 -0400"]


def test_an_interval_loses_nothing_where_clocks_change_by_half_an_hour() -> None:
    # From 02:00 back to 01:30.
    due = local("*/30 1,4 * * *", "Australia/Lord_Howe", datetime(2026, 4, 5), datetime(2026, 4, 6))
    assert due == ["05 01:00 +1100", "05 01:30 +1100", "05 01:30 +1030", "05 04:00 +1030", "05 04:30 +1030"]


def test_midnight_is_due_where_clocks_skip_it() -> None:
    due = local("0 0 * * *", "America/Santiago", datetime(2026, 9, 5), datetime(2026, 9, 8))
    assert due == ["05 00:00 -0400", "06 01:00 -0300", "07 00:00 -0300"]


def test_a_yearly_interval_is_due_in_both_passes_of_a_repeated_hour() -> None:
    due = local("*/30 1 1 11 *", NEW_YORK, datetime(2026, 1, 1), datetime(2027, 1, 1))
    assert due == ["01 01:00 -0400", "01 01:30 -0400", "01 01:00 -0500", "01 01:30 -0500"]


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("0 6 L * *", "2026-01-31T06:00:00+00:00"),
        ("0 6 LW * *", "2026-01-30T06:00:00+00:00"),
        ("0 6 * * 1#2", "2026-01-12T06:00:00+00:00"),
        ("0 6 29 2 *", "2028-02-29T06:00:00+00:00"),
        ("0 6 13 * 5", "2026-01-02T06:00:00+00:00"),
    ],
)
def test_days_are_read_as_in_debian(expression: str, due: str) -> None:
    assert next(Cron(expression).after(datetime(2026, 1, 1, tzinfo=UTC))).isoformat() == due


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("0 0 30 2 *", "never due"),
        ("0 0 31 4,6,9,11 *", "never due"),
        ("0 0 */31 2 1#5", "never due"),
        ("0 0 32 * *", "bad day-of-month"),
        ("61 * * * *", "bad minute"),
        ("0 0 1 1 8", "bad day-of-week"),
        ("* * * *", "4 fields, 5 are needed"),
        ("0 0 0 1 1 *", "seconds are not supported"),
        ("@daily", "1 fields, 5 are needed"),
        ("", "0 fields, 5 are needed"),
        ("1," * 200 + "1 * * * *", "longer than 200 characters"),
    ],
)
def test_an_expression_that_cannot_be_is_refused_with_the_reason(expression: str, reason: str) -> None:
    with pytest.raises(InvalidSchedule, match=reason):
        Cron(expression)


@pytest.mark.parametrize("zone", ["", "Europe", "Europe/Atlantis", "../etc/passwd", "/etc/localtime", "UTC\x00"])
def test_a_zone_that_is_not_in_the_database_is_refused(zone: str) -> None:
    with pytest.raises(InvalidSchedule, match="zone"):
        Cron("0 0 * * *", zone)


@given(st.text(alphabet="0123456789*/,-#LW SUNFEB", max_size=30))
@settings(max_examples=200)
@example("0 0 ٣ * *")
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        times = Cron(text)
    except InvalidSchedule:
        return
    assert next(times.after(datetime(2026, 1, 1, tzinfo=UTC))) > datetime(2026, 1, 1, tzinfo=UTC)


def test_every_counts_from_1970_so_that_all_schedulers_agree() -> None:
    due = islice(Every(300).after(datetime(2026, 5, 3, 10, 2, 7, tzinfo=UTC)), 2)
    assert [f"{at:%H:%M:%S}" for at in due] == ["10:05:00", "10:10:00"]


def test_an_instant_itself_is_not_after_it() -> None:
    at = datetime(2026, 5, 3, 10, 5, tzinfo=UTC)
    assert next(Every(300).after(at)) == at + timedelta(minutes=5)
    assert next(Cron("*/5 * * * *").after(at)) == at + timedelta(minutes=5)


@pytest.mark.parametrize("seconds", [0, -1, 400 * 24 * 3600])
def test_an_impossible_interval_is_refused(seconds: int) -> None:
    with pytest.raises(InvalidSchedule, match="every"):
        Every(seconds)


@given(
    st.sampled_from(["*/7 * * * *", "0 */3 * * *", "5,35 2 * * *", "30 0-4 * * 0", "*/20 1-3 1-8 3,4,11 *", "0 0 * * *"]),
    st.sampled_from([NEW_YORK, "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo", "UTC"]),
    st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 1)),
)
@settings(max_examples=60)
def test_where_one_begins_to_look_changes_nothing(expression: str, zone: str, begin: datetime) -> None:
    times, start = Cron(expression, zone), begin.replace(tzinfo=UTC)
    whole = list(islice(times.after(start), 40))
    assert whole == sorted(set(whole))
    assert whole[20:] == list(islice(times.after(whole[19]), 20))
    assert whole[20:] == list(islice(times.after(whole[20] - timedelta(milliseconds=1)), 20))
