"""Conditions and parameters by which a query selects parts of history. Rows under other archive ids are not part of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from aurum.core.asof import Span
from aurum.storage.ports.history import ArchivedPart

_MOST_PARTS = 4_096
"""Parts that one query may name: a parameter is sent as a field of the URL, which the server accepts up to 128 KiB."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST, _LAST = -(2**62), 2**62
"""Microseconds before and after every possible instant."""

NAMED = """
source IN {sources:Array(String)} AND month IN {months:Array(UInt32)} AND series_id IN {series:Array(Int32)}
AND (series_id, month, archive_id) IN (
    SELECT arrayJoin(arrayZip({part_series:Array(Int32)}, {part_months:Array(UInt32)}, {part_ids:Array(Int64)}))
)
"""
"""Condition for the rows of some parts. The first line lets the server skip data; the rest selects the exact rows."""

SPANNED = """
ts >= reinterpret({start:Int64}, 'DateTime64(6, \\'UTC\\')') AND ts < reinterpret({end:Int64}, 'DateTime64(6, \\'UTC\\')')
"""
"""Condition for the rows of a span."""

STANDING = """
known_at <= reinterpret({as_of:Int64}, 'DateTime64(6, \\'UTC\\')')
AND (superseded_at IS NULL OR superseded_at > reinterpret({as_of:Int64}, 'DateTime64(6, \\'UTC\\')'))
"""
"""Condition for the versions that stood at an instant: at most one of each point."""

STANDING_NOW = "superseded_at IS NULL"
"""Condition for the versions that stand now."""


def yyyymm(month: date) -> int:
    """Return a month as a number: 202601 for January 2026."""
    return month.year * 100 + month.month


def named(parts: Iterable[ArchivedPart]) -> dict[str, object]:
    """Return the parameters of ``NAMED``."""
    listed = list(parts)
    months = [yyyymm(part.month) for part in listed]
    return {
        "sources": sorted({part.source for part in listed}),
        "months": sorted(set(months)),
        "series": sorted({part.series_id for part in listed}),
        "part_series": [part.series_id for part in listed],
        "part_months": months,
        "part_ids": [part.archive_id for part in listed],
    }


def spanned(span: Span) -> dict[str, object]:
    """Return the parameters of ``SPANNED``, in microseconds: the server parses no text of a year before 1900 or after 2299."""
    return {
        "start": _FIRST if span.start is None else microseconds(span.start),
        "end": _LAST if span.end is None else microseconds(span.end),
    }


def standing(as_of: datetime | None) -> dict[str, object]:
    """Return the parameters of ``STANDING``; ``as_of`` None stands for now."""
    return {"as_of": _LAST if as_of is None else microseconds(as_of)}


def microseconds(instant: datetime) -> int:
    """Return the microseconds from 1970 to an instant, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def touched(parts: Sequence[ArchivedPart], span: Span) -> list[ArchivedPart]:
    """Return the distinct parts whose month overlaps the span, ascending by series and month."""
    distinct = {(part.series_id, part.month, part.archive_id): part for part in parts if _touches(part.month, span)}
    return [distinct[key] for key in sorted(distinct)]


def in_turns(parts: Sequence[ArchivedPart]) -> Iterator[Sequence[ArchivedPart]]:
    """Yield groups of at most ``_MOST_PARTS`` ascending parts. The concatenated answers are in the order of one answer."""
    for start in range(0, len(parts), _MOST_PARTS):
        yield parts[start : start + _MOST_PARTS]


def _touches(month: date, span: Span) -> bool:
    first = datetime(month.year, month.month, 1, tzinfo=UTC)
    # Four days after the 28th lie in the next month, in every month.
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return (span.start is None or span.start < following) and (span.end is None or span.end > first)
