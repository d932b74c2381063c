"""Usual publication times, by the rules that publishers state."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import polars as pl
import pytest

from aurum.core.calendars import BusinessDays
from aurum.core.frames import UTC_US
from aurum.core.frequency import Frequency
from aurum.core.markettime import local_instant
from aurum.core.publication import AfterInterval, OnDay, OnMonth, PublicationRule, known_times

NEW_YORK = "America/New_York"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def starts(*texts: str) -> pl.Series:
    return pl.Series("ts", [utc(text) for text in texts], UTC_US)


def days(count: int) -> pl.Series:
    return pl.Series("near", [timedelta(days=1)] * count, pl.Duration("us"))


@pytest.mark.parametrize(
    ("day", "at", "instant"),
    [
        (date(2026, 3, 8), time(2, 30), "2026-03-08T07:00"),
        (date(2026, 3, 8), time(3), "2026-03-08T07:00"),
        (date(2026, 3, 8), time(1, 59), "2026-03-08T06:59"),
        (date(2026, 11, 1), time(1, 30), "2026-11-01T05:30"),
    ],
)
def test_a_local_time_that_clocks_skip_means_the_next_that_exists(day: date, at: time, instant: str) -> None:
    assert local_instant(day, at, NEW_YORK) == utc(instant)


def test_a_day_before_rule_counts_from_the_local_day_of_each_interval() -> None:
    rule = PublicationRule(OnDay(-1, time(11), NEW_YORK), "manual")
    ts = starts("2025-11-02T03:00", "2025-11-02T04:00", "2025-11-03T04:59", "2025-11-03T05:00")
    known = rule.times(ts, zone=NEW_YORK, frequency=Frequency.HOUR).to_list()
    assert known == [
        utc("2025-10-31T15:00"),
        utc("2025-11-01T15:00"),
        utc("2025-11-01T15:00"),
        utc("2025-11-02T16:00"),
    ]


def test_a_rule_of_intervals_counts_from_their_end_or_start() -> None:
    ts = starts("2025-11-02T04:00")
    after = PublicationRule(AfterInterval(timedelta(minutes=5)), "practice")
    before = PublicationRule(AfterInterval(timedelta(minutes=-5), from_start=True), "practice")
    assert after.times(ts, zone=NEW_YORK, frequency=Frequency.HOUR).to_list() == [utc("2025-11-02T05:05")]
    assert after.times(ts, zone=NEW_YORK, frequency=Frequency.IRREGULAR).to_list() == [utc("2025-11-02T04:05")]
    assert before.times(ts, zone=NEW_YORK, frequency=Frequency.MIN_5).to_list() == [utc("2025-11-02T03:55")]
    assert after.times(ts.clear(), zone=NEW_YORK, frequency=Frequency.HOUR).to_list() == []


def test_a_business_day_rule_moves_over_weekends_and_holidays() -> None:
    moment = OnDay(1, time(18), NEW_YORK, business_days=BusinessDays.US_FEDERAL)
    assert moment.of_day(date(2025, 11, 27)) == utc("2025-11-28T23:00")
    assert moment.of_day(date(2025, 11, 28)) == utc("2025-12-01T23:00")
    assert moment.of_day(date(2025, 12, 24)) == utc("2025-12-26T23:00")


def test_a_weekday_rule_is_the_first_such_day_after_the_day() -> None:
    moment = OnDay(0, time(10, 30), NEW_YORK, weekday=3)
    assert moment.of_day(date(2025, 11, 21)) == utc("2025-11-26T15:30")  # a Friday
    assert moment.of_day(date(2025, 11, 26)) == utc("2025-12-03T15:30")  # a Wednesday


def test_a_month_rule_counts_from_the_last_month_of_an_interval() -> None:
    ts = starts("2025-10-01T00:00")
    moment = OnMonth(1, 15, time(12), "UTC")
    assert moment.times(ts, zone="UTC", frequency=Frequency.MONTH).to_list() == [utc("2025-11-15T12:00")]
    assert moment.times(ts, zone="UTC", frequency=Frequency.QUARTER).to_list() == [utc("2026-01-15T12:00")]
    last = OnMonth(2, -1, time(12), "UTC", BusinessDays.US_FEDERAL)
    assert last.times(ts, zone="UTC", frequency=Frequency.HOUR).to_list() == [utc("2025-12-31T12:00")]
    assert last.of_month(date(2026, 3, 9)) == utc("2026-05-29T12:00")  # the 30th and 31st are a weekend


def test_an_issue_is_known_at_the_time_of_its_first_day() -> None:
    rule = PublicationRule(OnDay(-1, time(8), NEW_YORK), "practice", per_issue=True)
    assert rule.of_issue(date(2025, 11, 2)) == utc("2025-11-01T12:00")
    with pytest.raises(ValueError, match="OnDay"):
        PublicationRule(AfterInterval(timedelta()), "practice", per_issue=True)


def test_what_is_taken_in_near_its_publication_has_the_moment_of_the_file() -> None:
    scheduled = starts("2025-11-01T15:00", "2025-11-02T15:00", "2025-11-03T15:00", "2025-11-04T15:00")
    taken_in = utc("2025-11-03T16:00")
    known = known_times(scheduled, taken_in=taken_in, near=days(4))
    assert known.to_list() == [utc("2025-11-01T15:00"), utc("2025-11-02T15:00"), None, None]
    on_request = known_times(scheduled, taken_in=taken_in, near=None)
    assert on_request.to_list() == [*scheduled.to_list()[:3], None]


def test_an_answer_time_is_an_upper_bound() -> None:
    scheduled = starts("2021-01-01T12:00", "2025-11-29T12:00")
    known = known_times(scheduled, taken_in=utc("2026-11-29T00:00"), near=days(2), answered_at=utc("2025-11-29T09:00"))
    assert known.to_list() == [utc("2021-01-01T12:00"), utc("2025-11-29T09:00")]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (PublicationRule(OnDay(-1, time(11), NEW_YORK), "s"), "11:00 America/New_York on the day before"),
        (PublicationRule(OnDay(6, time(10, 30), NEW_YORK), "s"), "10:30 America/New_York 6 days after the day"),
        (PublicationRule(AfterInterval(timedelta(minutes=5)), "s"), "5 min after the end of the interval"),
        (
            PublicationRule(AfterInterval(timedelta(minutes=-45), from_start=True), "s"),
            "45 min before the start of the interval",
        ),
        (
            PublicationRule(OnDay(0, time(18), NEW_YORK, weekday=3), "s"),
            "18:00 America/New_York on the next Wednesday",
        ),
        (
            PublicationRule(OnDay(30, time(18), NEW_YORK, weekday=3), "s"),
            "18:00 America/New_York on the next Wednesday after 30 days",
        ),
        (
            PublicationRule(OnMonth(1, 12, time(8, 30), NEW_YORK, BusinessDays.US_FEDERAL), "s"),
            "08:30 America/New_York on day 12 or the next business day of the month after the interval",
        ),
        (
            PublicationRule(OnMonth(2, -1, time(18), NEW_YORK, BusinessDays.US_FEDERAL), "s"),
            "18:00 America/New_York on the last business day of the month 2 months after the interval",
        ),
        (
            PublicationRule(OnMonth(0, 15, time(12), NEW_YORK), "s"),
            "12:00 America/New_York on day 15 of the month of the interval",
        ),
    ],
)
def test_a_rule_reads_as_a_sentence(rule: PublicationRule, text: str) -> None:
    assert str(rule) == text
