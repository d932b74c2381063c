"""The parameters of a question about movers, and the two days that it compares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from aurum.core.errors import InvalidParameters
from aurum.core.markettime import InvalidInstant, parse_day

_FIRST, _LAST = date(1900, 1, 2), date(2200, 1, 1)
_DAYS_BEFORE = {"previous": 1, "week": 7}


@dataclass(frozen=True, slots=True)
class MoversQuestion:
    """A question about the series of a measure and market that changed most from the day ``against`` to the day ``day``.

    ``against``: ``previous`` (the day before), ``week`` (the same weekday of the week before) or a date. ``block``: as in
    ``services.observations``. ``unit``, ``currency``: rank only series in them; values are not converted. ``limit``: most
    movers, and most incomplete series, in the answer.
    """

    measure: str
    market: str
    day: date
    against: str = "previous"
    block: str | None = None
    unit: str | None = None
    currency: str | None = None
    limit: int = 20


def day_against(question: MoversQuestion) -> date:
    """Return the earlier or later day that ``day`` is compared with. Raises ``InvalidParameters``."""
    _check_range("day", question.day)
    if question.against in _DAYS_BEFORE:
        return question.day - timedelta(days=_DAYS_BEFORE[question.against])
    other = _parsed(question.against)
    _check_range("against", other)
    if other == question.day:
        raise InvalidParameters(("against", "equals day: use another date, previous or week", question.against))
    return other


def _parsed(against: str) -> date:
    try:
        return parse_day(against)
    except InvalidInstant as error:
        why = "must be previous, week or a date YYYY-MM-DD, such as 2025-11-02"
        raise InvalidParameters(("against", why, against)) from error


def _check_range(parameter: str, day: date) -> None:
    if not _FIRST <= day <= _LAST:
        raise InvalidParameters((parameter, f"must be a day from {_FIRST} to {_LAST}", str(day)))
