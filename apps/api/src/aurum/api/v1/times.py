"""Times as clients of version 1 write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from aurum.api.contract.text import Day, Text
from aurum.api.v1.problems import BadRequest
from aurum.core.asof import InvalidSpan, Span
from aurum.core.errors import Invalid
from aurum.core.markettime import day_start, parse_instant

StartDate = Annotated[Day | None, Query(description="First day, on the clock of the series.", examples=["2025-01-01"])]
EndDate = Annotated[Day | None, Query(description="Last day, included.", examples=["2025-01-31"])]
Asof = Annotated[Day | None, Query(description="As known at the end of this day, UTC.", examples=["2026-11-20"])]

_FIRST, _LAST = date(1700, 1, 1), date(2400, 1, 1)


class Times(BaseModel):
    """A half-open span of instants, or of local days in the time zone of each series."""

    model_config = ConfigDict(frozen=True)

    start: Annotated[
        Text | None,
        Query(
            description="First day or instant, included; a day begins at midnight of the market's time zone.",
            examples=["2025-11-02"],
        ),
    ] = None
    end: Annotated[Text | None, Query(description="Last day or instant, excluded.", examples=["2025-11-03"])] = None

    def check(self) -> None:
        """Raise ``BadRequest`` for texts that are not times on any clock, before anything is read."""
        self.span_in("UTC")

    def span_in(self, zone: str) -> Span:
        """Return the span on a clock. Raises ``BadRequest``."""
        start, end = _instant("start", self.start, zone), _instant("end", self.end, zone)
        try:
            return Span(start, end)
        except InvalidSpan as error:
            raise BadRequest("start", error.detail, self.start) from error


def span_of_days(zone: str, start: date | None, end: date | None) -> Span:
    """Return the span of the local days from ``start`` to ``end``, both included. Raises ``BadRequest``."""
    for name, day in (("start", start), ("end", end)):
        if day is not None and not _FIRST <= day < _LAST:
            raise BadRequest(name, f"must lie between {_FIRST} and {_LAST}", str(day))
    if start is not None and end is not None and start > end:
        raise BadRequest("start", f"is after the end, {end}", str(start))
    first = day_start(start, zone) if start is not None else None
    return Span(first, day_start(end + timedelta(days=1), zone) if end is not None else None)


def end_of_day(asof: date | None) -> datetime | None:
    """Return the last instant of a day, UTC: everything known on it is known then. Raises ``BadRequest``."""
    if asof is None:
        return None
    if not _FIRST <= asof < _LAST:
        raise BadRequest("asof", f"must lie between {_FIRST} and {_LAST}", str(asof))
    return datetime(asof.year, asof.month, asof.day, tzinfo=UTC) + timedelta(days=1, microseconds=-1)


def _instant(name: str, text: str | None, zone: str) -> datetime | None:
    if text is None:
        return None
    try:
        instant = parse_instant(text, zone)
    except Invalid as error:
        raise BadRequest(name, error.detail, text) from error
    if not _FIRST <= instant.date() < _LAST:
        raise BadRequest(name, f"must lie between {_FIRST} and {_LAST}", text)
    return instant
