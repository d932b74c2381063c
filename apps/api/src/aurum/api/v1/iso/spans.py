"""Spans of prices on the clock of each series."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from aurum.api.v1.times import Times
from aurum.core.asof import Span
from aurum.core.markettime import day_start

SpanOnClock = Callable[[str], Span]
"""Returns the bounded span to read on the clock of a time zone."""

_HOUR, _DAY, _INSTANT = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)


def last_24_hours(now: datetime) -> SpanOnClock:
    """Return the 24 hours before ``now``, the same on every clock."""
    span = Span(now - _DAY, now)
    return lambda _zone: span


def bounded(times: Times, now: datetime, *, days: int) -> SpanOnClock:
    """Return the span of a request; without an end it ends now, without a start it is ``days`` long.

    Raises ``BadRequest`` for texts that are not times, before anything is read.
    """
    times.check()

    def on_clock(zone: str) -> Span:
        span = times.span_in(zone)
        end = span.end or max(now, span.start or now)
        return Span(span.start or end - timedelta(days=days), end)

    return on_clock


def whole_hours(span_on: SpanOnClock) -> SpanOnClock:
    """Return a span with whole hours at both ends: clocks of these markets differ by whole hours."""

    def on_clock(zone: str) -> Span:
        start, end = _ends(span_on(zone))
        return Span(_hour(start), _hour(end - _INSTANT) + _HOUR if end > start else end)

    return on_clock


def whole_days(span_on: SpanOnClock) -> SpanOnClock:
    """Return a span with whole local days at both ends."""

    def on_clock(zone: str) -> Span:
        start, end = _ends(span_on(zone))
        first, last = (instant.astimezone(ZoneInfo(zone)).date() for instant in (start, max(end - _INSTANT, start)))
        return Span(day_start(first, zone), day_start(last + _DAY, zone))

    return on_clock


def _ends(span: Span) -> tuple[datetime, datetime]:
    assert span.start is not None
    assert span.end is not None
    return span.start, span.end


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)
