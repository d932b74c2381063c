from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.pipelines.reading.dates import (
    FIRST_YEAR,
    ISO_OFFSET,
    LAST_YEAR,
    day_of,
    instant_of,
    labelled_of,
    local_instant_of,
    read_once,
    time_of,
    times,
)

MONTH_FIRST = ("%m/%d/%Y",)
NEW_YORK = "America/New_York"
DAYS = st.dates(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("11/05/2018", date(2018, 11, 5)),
        ("11/05/18", date(2018, 11, 5)),
        ("11/18/25", date(2025, 11, 18)),
        ("1/2/00", date(2000, 1, 2)),
        ("1/2/68", date(2068, 1, 2)),
        ("1/2/69", date(1969, 1, 2)),
        ("1/2/99", date(1999, 1, 2)),
    ],
)
def test_years_of_two_digits_follow_the_rule_of_posix(text: str, day: date) -> None:
    assert day_of(text, MONTH_FIRST) == day


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("25-11-02", ("%Y-%m-%d",)),
        ("25/11/02", ("%Y/%m/%d",)),
        ("05-11-18", ("%d-%m-%Y",)),
        ("Nov 18, 25", ("%b %d, %Y",)),
        ("09 May 25", ("%d %B %Y",)),
        ("251102", ("%Y%m%d",)),
        ("2025112", ("%Y%m%d",)),
        ("11/05/018", MONTH_FIRST),
        ("11/05/20181", MONTH_FIRST),
        ("11/05/0018", MONTH_FIRST),
        ("11/05/2018 x", MONTH_FIRST),
        ("x11/05/2018", MONTH_FIRST),
        ("11/31/2018", MONTH_FIRST),
        ("02/29/2025", MONTH_FIRST),
        ("13/05/2018", MONTH_FIRST),
        ("11/05/２０１８", MONTH_FIRST),
        ("١١/05/2018", MONTH_FIRST),
        ("+11/05/2018", MONTH_FIRST),
        ("11/05/-018", MONTH_FIRST),
        ("11/05/2018\x00", MONTH_FIRST),
        ("11/05/2018\n", MONTH_FIRST),
        ("0001-01-01", ("%Y-%m-%d",)),
        ("1677-09-21", ("%Y-%m-%d",)),
        ("9999-12-31", ("%Y-%m-%d",)),
        ("9999-12", ("%Y-%m",)),
        ("", MONTH_FIRST),
        (None, MONTH_FIRST),
    ],
)
def test_a_text_that_is_not_certainly_a_day_is_none(text: str | None, patterns: tuple[str, ...]) -> None:
    assert day_of(text, patterns) is None


@pytest.mark.parametrize("text", ["2025-11-02T24:00", "2025-11-02T12:60", "2025-11-02T12:00 Z", "2025-11-02"])
def test_a_text_that_is_not_certainly_a_time_is_none(text: str) -> None:
    assert time_of(text, ("%Y-%m-%dT%H:%M",)) is None


@given(day=DAYS)
def test_a_day_is_read_back_from_every_spelling(day: date) -> None:
    assert day_of(f"{day:%m/%d}/{day.year}", MONTH_FIRST) == day
    assert day_of(f"{day.month}/{day.day}/{day.year}", MONTH_FIRST) == day
    assert day_of(day.isoformat(), ("%Y%m%d", "%Y-%m-%d")) == day
    assert day_of(day.isoformat().replace("-", ""), ("%Y%m%d", "%Y-%m-%d")) == day


@given(text=st.from_regex(r"[0-9/\-: ]{4,12}", fullmatch=True))
def test_no_text_is_read_as_a_day_that_it_does_not_spell(text: str) -> None:
    day = day_of(text, ("%m/%d/%Y", "%Y-%m-%d"))
    if day is not None:
        numbers = [int(part) for part in text.replace("/", "-").split("-")]
        assert {day.month, day.day} <= set(numbers)
        assert day.year % 100 in {number % 100 for number in numbers}


@given(moment=st.datetimes(datetime(FIRST_YEAR, 1, 2), datetime(LAST_YEAR, 12, 30)), hours=st.integers(-14, 14))
def test_an_instant_is_read_back_from_every_offset(moment: datetime, hours: int) -> None:
    local = moment + timedelta(hours=hours)
    offset = f"{'-' if hours < 0 else '+'}{abs(hours):02}:00"
    assert instant_of(f"{local.isoformat(timespec='microseconds')}{offset}", ISO_OFFSET) == moment.replace(tzinfo=UTC)
    assert instant_of(f"{moment.isoformat(timespec='seconds')}Z") == moment.replace(tzinfo=UTC, microsecond=0)


@pytest.mark.parametrize(
    ("stamp", "label", "instant"),
    [
        ("07/05/2025 00:00:00", "EDT", datetime(2025, 7, 5, 4, tzinfo=UTC)),
        ("07/05/2025 00:00:00", "EST", None),
        ("01/05/2025 00:00:00", "EDT", None),
        ("01/05/2025 00:00:00", "PST", None),
        ("11/02/2025 01:00:00", "EDT", datetime(2025, 11, 2, 5, tzinfo=UTC)),
        ("11/02/2025 01:00:00", "EST", datetime(2025, 11, 2, 6, tzinfo=UTC)),
        ("03/09/2025 02:30:00", "EDT", None),
    ],
)
def test_a_label_of_the_clock_must_be_that_of_the_zone_and_the_date(stamp: str, label: str, instant: datetime | None) -> None:
    read = labelled_of(stamp, ("%m/%d/%Y %H:%M:%S",), NEW_YORK, label, standard=("EST",), daylight=("EDT",))
    assert read == instant


def test_a_local_time_that_occurs_twice_names_no_instant() -> None:
    assert local_instant_of("20251102.013000", ("%Y%m%d.%H%M%S",), NEW_YORK) is None
    assert local_instant_of("20251102.033000", ("%Y%m%d.%H%M%S",), NEW_YORK) == datetime(2025, 11, 2, 8, 30, tzinfo=UTC)


def test_a_column_is_read_once_for_each_text_and_keeps_its_order() -> None:
    frame = pl.DataFrame({"stamp": ["07/05/2025", None, "x", "07/05/2025"], "line": [1, 2, 3, 4]})
    read = read_once(frame, "stamp", times(pl.col("stamp"), ("%m/%d/%Y",)).alias("ts"))
    assert read["line"].to_list() == [1, 2, 3, 4]
    assert read["ts"].to_list() == [datetime(2025, 7, 5), None, None, datetime(2025, 7, 5)]
