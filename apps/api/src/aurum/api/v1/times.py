"""Times as callers of v1 give them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import Query

from aurum.api.contract.text import Day, Text
from aurum.api.v1.problems import BadRequest
from aurum.core.asof import InvalidSpan, Span
from aurum.core.errors import Invalid
from aurum.core.markettime import day_start, parse_instant

Start = Annotated[
    Text | None, Query(description="From this day or instant on; a day is the market's.", examples=["2025-11-02"])
]
End = Annotated[Text | None, Query(description="Up to, not including, this day or instant.", examples=["2025-11-03"])]
StartDate = Annotated[Day | None, Query(description="From this day on, of the series' own clock.", examples=["2025-01-01"])]
EndDate = Annotated[Day | None, Query(description="Up to this day, the day included.", examples=["2025-01-31"])]
Asof = Annotated[Day | None, Query(description="As it was known at the end of this day, UTC.", examples=["2026-11-20"])]

_FIRST, _LAST = date(1700, 1, 1), date(2400, 1, 1)


def span_in(zone: str, start: str | None, end: str | None) -> Span:
    """The half-open span that two texts name on a clock. Raises ``BadRequest``."""
    found = [_instant(name, text, zone) for name, text in (("start", start), ("end", end))]
    try:
        return Span(*found)
    except InvalidSpan as error:
        raise BadRequest("start", error.detail, start) from error


def days_in(zone: str, start: date | None, end: date | None) -> Span:
    """The span of local days from ``start`` to ``end``, both included. Raises ``BadRequest``."""
    for name, day in (("start", start), ("end", end)):
        if day is not None and not _FIRST <= day < _LAST:
            raise BadRequest(name, f"must lie between {_FIRST} and {_LAST}", str(day))
    if start is not None and end is not None and start > end:
        raise BadRequest("start", f"is after the end, {end}", str(start))
    first = day_start(start, zone) if start is not None else None
    return Span(first, day_start(end + timedelta(days=1), zone) if end is not None else None)


def known_by(asof: date | None) -> datetime | None:
    """The last instant of a day: what was known on it. Raises ``BadRequest``."""
    if asof is None:
        return None
    if not _FIRST <= asof < _LAST:
        raise BadRequest("asof", f"must lie between {_FIRST} and {_LAST}", str(asof))
    return datetime(asof.year, asof.month, asof.day, tzinfo=UTC) + timedelta(days=1, microseconds=-1)


def _instant(name: str, text: str | None, zone: str) -> datetime | None:
    if text is None:
        return None
    try:
        found = parse_instant(text, zone)
    except Invalid as error:
        raise BadRequest(name, error.detail, text) from error
    if not _FIRST <= found.date() < _LAST:
        raise BadRequest(name, f"must lie between {_FIRST} and {_LAST}", text)
    return found
