"""The local days of a dataset that are due: when the file of a day usually appears, and when it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from aurum.core.calendars.business_days import holidays
from aurum.core.frequency import Frequency
from aurum.core.markettime import day_bounds
from aurum.core.publication import AfterInterval, OnDay, OnMonth, PublicationRule
from aurum.pipelines.source import Dataset

_DAY = timedelta(days=1)
_SATURDAY = 6
_LONGEST_GAP = 4 * 366
_FARTHEST = timedelta(days=10)
"""How far ahead of the present day a file may be due: forecasts are published up to seven days before their day."""


@dataclass(frozen=True, slots=True)
class DueDay:
    """A local day. ``first_at``: when values of it are usually published first; ``whole_at``: when all of them are; UTC."""

    day: date
    first_at: datetime
    whole_at: datetime


def due_day(dataset: Dataset, day: date) -> DueDay:
    """Return when the file of a local day usually appears, by the publication rules of its dataset.

    Without a rule the day is whole when it is over.
    """
    spans = [_published(rule, dataset, day) for rule in dataset.rules] or [day_bounds(day, dataset.zone)]
    return DueDay(day, min(first for first, _ in spans), max(whole for _, whole in spans))


def due_days(dataset: Dataset, after: date, now: datetime) -> Iterator[DueDay]:
    """Yield the days after ``after`` whose files have usually appeared by ``now``, oldest first.

    Days on which the dataset is not published are left out.
    """
    last = now.astimezone(ZoneInfo(dataset.zone)).date() + _FARTHEST
    day = after + _DAY
    while day <= last:
        if is_published_on(dataset, day):
            due = due_day(dataset, day)
            if due.first_at <= now:
                yield due
        day += _DAY


def next_due(dataset: Dataset, after: date | None, now: datetime) -> datetime | None:
    """Return when the first day after ``after`` that is not whole by ``now`` usually is; None where no rule says it."""
    if not dataset.rules:
        return None
    today = now.astimezone(ZoneInfo(dataset.zone)).date()
    first = today - _FARTHEST if after is None else after + _DAY
    whole = (
        due_day(dataset, first + count * _DAY) for count in range(4 * 366) if is_published_on(dataset, first + count * _DAY)
    )
    return next((due.whole_at for due in whole if due.whole_at > now), None)


def is_published_on(dataset: Dataset, day: date) -> bool:
    """Return whether the calendar of a dataset has a value for a day."""
    calendar = dataset.business_days
    if calendar is None or dataset.frequency is not Frequency.DAY:
        return True
    # New Year's Day of the next year may be observed on the last day of this one.
    return day.isoweekday() < _SATURDAY and day not in holidays(calendar, day.year) | holidays(calendar, day.year + 1)


def _published(rule: PublicationRule, dataset: Dataset, day: date) -> tuple[datetime, datetime]:
    moment = rule.moment
    match moment:
        case OnDay():
            at = moment.of_day(day)
            return at, at
        case OnMonth():
            at = moment.of_month(_last_month(day, dataset.frequency))
            return at, at
        case AfterInterval():
            begin, end = day_bounds(day, dataset.zone)
            # Of an irregular sample the stamp counts, which may be as late as the end of the day.
            step = timedelta() if dataset.frequency is Frequency.IRREGULAR else dataset.frequency.step or end - begin
            if moment.from_start:
                return begin + moment.wait, end - step + moment.wait
            return begin + step + moment.wait, end + moment.wait


def _last_month(day: date, frequency: Frequency) -> date:
    """Return a day in the last month of the interval that holds a day."""
    months = {Frequency.QUARTER: 3, Frequency.YEAR: 12}.get(frequency, 1)
    return day.replace(month=(day.month - 1) // months * months + months, day=1)
