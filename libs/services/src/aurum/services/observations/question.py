"""A question about observations, as a caller states it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aurum.core.frequency import Frequency
from aurum.core.series.resample import Aggregation


@dataclass(frozen=True, slots=True)
class Question:
    """A request for observations of some series: the span, and the form of the result. All fields are optional.

    ``start``, ``end``, ``as_of``: an instant, or a text that ``make_plan`` parses in the zone ``tz``: RFC 3339, a date or a
    local date-time. ``tz``: ``UTC``, ``market`` or an IANA name; None: times are UTC, and days are in the zone of each series.
    ``freq``: the step to resample to, by ``agg`` (None: the mean). ``block``: ``ON_PEAK`` of the market's calendar, or
    ``calendar:ON_PEAK``. ``unit``, ``currency``: names of ``aurum.core.units``. ``min_coverage``: the share of its steps, 0
    to 1, below which a bucket of ``freq`` is withheld; None: every bucket has a value.
    """

    start: str | datetime | None = None
    end: str | datetime | None = None
    as_of: str | datetime | None = None
    tz: str | None = None
    freq: Frequency | None = None
    agg: Aggregation | None = None
    block: str | None = None
    unit: str | None = None
    currency: str | None = None
    min_coverage: float | None = None
