"""When the files of days are due."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from aurum.core.calendars.business_days import BusinessDays
from aurum.core.frequency import Frequency
from aurum.core.publication import AfterInterval, Moment, OnDay, OnMonth, PublicationRule
from aurum.pipelines.fetch.due_days import due_day, due_days, next_due
from aurum.pipelines.source import Dataset, Measure

ZONE = "America/New_York"


def dataset(*moments: Moment, frequency: Frequency = Frequency.HOUR, calendar: BusinessDays | None = None) -> Dataset:
    rules = tuple(PublicationRule(moment, "a test") for moment in moments)
    measures = (Measure("load", "MW"),)
    return Dataset("inva", "load", "Load", ZONE, frequency, measures, rules=rules, business_days=calendar)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_day_ahead_results_of_tomorrow_are_due_today() -> None:
    prices = dataset(OnDay(-1, time(13, 30), ZONE))
    now = utc("2025-11-03T18:31")
    assert [str(due.day) for due in due_days(prices, date(2025, 11, 1), now)] == ["2025-11-02", "2025-11-03", "2025-11-04"]
    assert next_due(prices, date(2025, 11, 4), now) == utc("2025-11-04T18:30")


def test_a_minute_before_the_time_of_the_rule_nothing_is_due() -> None:
    prices = dataset(OnDay(-1, time(13, 30), ZONE))
    assert [str(due.day) for due in due_days(prices, date(2025, 11, 2), utc("2025-11-03T18:29"))] == ["2025-11-03"]


def test_a_file_that_is_written_through_its_day_is_whole_when_the_last_interval_is_published() -> None:
    due = due_day(dataset(AfterInterval(timedelta(minutes=5))), date(2025, 11, 2))
    assert (due.first_at, due.whole_at) == (utc("2025-11-02T05:05"), utc("2025-11-03T05:05"))


def test_a_run_before_the_interval_is_whole_before_its_day_ends() -> None:
    due = due_day(dataset(AfterInterval(timedelta(minutes=-30), from_start=True)), date(2025, 11, 3))
    assert (due.first_at, due.whole_at) == (utc("2025-11-03T04:30"), utc("2025-11-04T03:30"))


def test_of_several_rules_the_first_and_the_last_count() -> None:
    due = due_day(dataset(OnDay(0, time(8), ZONE), OnDay(1, time(12), ZONE)), date(2025, 11, 3))
    assert (due.first_at, due.whole_at) == (utc("2025-11-03T13:00"), utc("2025-11-04T17:00"))


def test_days_of_a_month_are_due_together() -> None:
    monthly = dataset(OnMonth(1, 15, time(12), ZONE), frequency=Frequency.MONTH)
    assert list(due_days(monthly, date(2025, 9, 30), utc("2025-11-15T16:59"))) == []
    days = [due.day for due in due_days(monthly, date(2025, 9, 30), utc("2025-11-15T17:00"))]
    assert (days[0], days[-1]) == (date(2025, 10, 1), date(2025, 10, 31))


@pytest.mark.parametrize(("frequency", "due"), [(Frequency.QUARTER, "2025-07-28"), (Frequency.YEAR, "2026-01-28")])
def test_a_quarter_and_a_year_are_due_after_their_last_month(frequency: Frequency, due: str) -> None:
    rule = OnMonth(1, 28, time(8, 30), "UTC")
    assert due_day(dataset(rule, frequency=frequency), date(2025, 5, 9)).whole_at == utc(f"{due}T08:30")


def test_weekends_and_holidays_are_not_due_where_nothing_is_published_on_them() -> None:
    rates = dataset(OnDay(0, time(16), ZONE), frequency=Frequency.DAY, calendar=BusinessDays.TARGET)
    days = [due.day for due in due_days(rates, date(2025, 12, 23), utc("2025-12-30T00:00"))]
    assert [day.day for day in days] == [24, 29]
    assert next_due(rates, date(2025, 12, 24), utc("2025-12-25T00:00")) == utc("2025-12-29T21:00")


def test_without_a_rule_a_day_is_whole_when_it_is_over() -> None:
    due = due_day(dataset(), date(2025, 11, 2))
    assert (due.first_at, due.whole_at) == (utc("2025-11-02T04:00"), utc("2025-11-03T05:00"))
    assert next_due(dataset(), None, utc("2025-11-02T04:00")) is None
