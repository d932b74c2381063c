"""Parts as a query takes them: which rows of the table exist at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from aurum.core.asof import Span
from aurum.storage.ports.history import ArchivedPart

_MOST_PARTS = 4_096
"""A parameter of a query is a field of a URL, which the server takes up to 128 KiB of."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST, _LAST = -(2**62), 2**62
"""Before and after every instant there is."""

NAMED = """
source IN {sources:Array(String)} AND month IN {months:Array(UInt32)} AND series_id IN {series:Array(Int32)}
AND (series_id, month, archive_id) IN (
    SELECT arrayJoin(arrayZip({part_series:Array(Int32)}, {part_months:Array(UInt32)}, {part_ids:Array(Int64)}))
)
"""
"""Rows of the parts. The first line lets the server leave out what it need not read; the rest says exactly which."""

SPANNED = """
ts >= reinterpret({start:Int64}, 'DateTime64(6, \\'UTC\\')') AND ts < reinterpret({end:Int64}, 'DateTime64(6, \\'UTC\\')')
"""

STANDING = """
known_at <= reinterpret({as_of:Int64}, 'DateTime64(6, \\'UTC\\')')
AND (superseded_at IS NULL OR superseded_at > reinterpret({as_of:Int64}, 'DateTime64(6, \\'UTC\\')'))
"""
"""Versions that stood then. Of each point there is one at most."""

STANDING_NOW = "superseded_at IS NULL"
"""The same of now, for scans that need not read ``known_at`` at all."""


def yyyymm(month: date) -> int:
    """202601 of the first of January 2026."""
    return month.year * 100 + month.month


def named(parts: Iterable[ArchivedPart]) -> dict[str, object]:
    """The parameters of ``NAMED``."""
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
    """The parameters of ``SPANNED``: microseconds, since the server reads no text of a year before 1900 or after 2299."""
    return {
        "start": _FIRST if span.start is None else microseconds(span.start),
        "end": _LAST if span.end is None else microseconds(span.end),
    }


def standing(as_of: datetime | None) -> dict[str, object]:
    """The parameters of ``STANDING``; None: after every version there is, which is now."""
    return {"as_of": _LAST if as_of is None else microseconds(as_of)}


def microseconds(instant: datetime) -> int:
    """Since 1970, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def touched(parts: Sequence[ArchivedPart], span: Span) -> list[ArchivedPart]:
    """Those whose month the span touches, each once, ascending by series and month."""
    distinct = {(part.series_id, part.month, part.archive_id): part for part in parts if _touches(part.month, span)}
    return [distinct[key] for key in sorted(distinct)]


def in_turns(parts: Sequence[ArchivedPart]) -> Iterator[Sequence[ArchivedPart]]:
    """Ascending parts, as many at a time as one query takes. The answers, one after the other, ascend as one would."""
    for start in range(0, len(parts), _MOST_PARTS):
        yield parts[start : start + _MOST_PARTS]


def _touches(month: date, span: Span) -> bool:
    first = datetime(month.year, month.month, 1, tzinfo=UTC)
    # From the 28th on four days lead into the next month, whatever the month.
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return (span.start is None or span.start < following) and (span.end is None or span.end > first)
