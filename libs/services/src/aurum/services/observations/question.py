"""A question about observations, as a caller states it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aurum.core.frequency import Frequency
from aurum.core.markettime import is_relative
from aurum.core.series.resample import Aggregation

_TIMES = ("start", "end", "as_of", "as_loaded")


@dataclass(frozen=True, slots=True)
class Question:
    """A request for observations of some series: the span, and the form of the result. All fields are optional.

    ``start``, ``end``, ``as_of``, ``as_loaded``: an instant, or a text that ``make_plan`` parses in the zone ``tz``: RFC 3339,
    a date, a local date-time, or a relative time (``core.markettime.relative``), which is counted from ``now``, an aware
    instant; without it relative times are refused. ``as_of``: values known to the market by then. ``as_loaded``: the store with
    the files committed up to then. ``tz``: ``UTC``, ``market`` or an IANA name; None: times are UTC, and days are in the zone
    of each series.
    ``freq``: the step to resample to, by ``agg`` (None: the mean). ``block``: ``ON_PEAK`` of the market's calendar, or
    ``calendar:ON_PEAK``. ``unit``, ``currency``: names of ``aurum.core.units``. ``min_coverage``: the share of its steps, 0
    to 1, below which a bucket of ``freq`` is withheld; None: every bucket has a value. ``limit``: most rows of each series, the
    first ones in the order of the answer, which ascends by time unless ``newest_first``.

    At most one of these is set, for series of forecasts: ``issue``, the known time of an issue, ``latest`` or ``first``;
    ``days_ahead``, optionally with ``before``, a local time ``HH:MM``; ``hours_ahead`` (``core.series.leads``).
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
    as_loaded: str | datetime | None = None
    issue: str | datetime | None = None
    days_ahead: int | None = None
    before: str | None = None
    hours_ahead: float | None = None
    limit: int | None = None
    newest_first: bool = False
    now: datetime | None = None

    @property
    def relative(self) -> tuple[str, ...]:
        """The names of the fields that are relative times."""
        return tuple(name for name in _TIMES if isinstance(text := getattr(self, name), str) and is_relative(text))
