"""The rules by which a check finds faults of a dataset. Each takes facts of one dataset and returns a finding or None."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from aurum.core.alerts.alert import AlertKind, Finding, Subject

SHRUNK_BELOW = 0.9
"""Share of the median of earlier publications below which one counts as shrunk."""
COMPARED = 10
"""Number of earlier publications that one is compared with."""
_FEWEST_COMPARED = 3
"""With fewer earlier publications there is no usual size yet."""


@dataclass(frozen=True, slots=True)
class Publication:
    """The size of one loaded file: its day in the zone of the dataset, its rows and its series."""

    day: date
    rows: int
    series: int


def late(source: str, dataset: str, *, missing: date, usual: datetime, grace: timedelta, now: datetime) -> Finding | None:
    """Return a finding if the publication for the local day ``missing`` should have arrived.

    ``usual``: its usual publication time, UTC.
    """
    if now <= usual + grace:
        return None
    overdue = round((now - usual) / timedelta(minutes=1))
    return Finding(
        Subject(source, dataset, AlertKind.LATE, missing),
        f"{source}:{dataset} of {missing} is late: usually published at {usual:%Y-%m-%d %H:%M} UTC",
        {"usual_at": usual.isoformat(), "minutes_overdue": overdue},
    )


def stale(source: str, dataset: str, *, zone: str, newest: datetime, freshness_hours: float, now: datetime) -> Finding | None:
    """Return a finding if the newest interval (its start, UTC) is older than the freshness of the dataset, in hours."""
    age = (now - newest) / timedelta(hours=1)
    if age <= freshness_hours:
        return None
    return Finding(
        Subject(source, dataset, AlertKind.STALE, now.astimezone(ZoneInfo(zone)).date()),
        f"{source}:{dataset} is stale: its newest interval is {age:.1f} hours old, {freshness_hours:g} are allowed",
        {"newest": newest.isoformat(), "age_hours": round(age, 2), "freshness_hours": freshness_hours},
    )


def incomplete(source: str, dataset: str, *, day: date, series: int, missing: int, expected: int) -> Finding | None:
    """Return a finding if intervals of a closed local day are missing.

    ``series``: number of series with gaps. ``missing``, ``expected``: intervals of all series of the day.
    """
    if missing <= 0:
        return None
    of = "1 series has" if series == 1 else f"{series:,} series have"
    return Finding(
        Subject(source, dataset, AlertKind.INCOMPLETE, day),
        f"{source}:{dataset} of {day} is incomplete: {of} gaps, {missing:,} of {expected:,} intervals are missing",
        {"series": series, "missing": missing, "expected": expected},
    )


def shrinking(source: str, dataset: str, latest: Publication, earlier: Sequence[Publication]) -> Finding | None:
    """Return a finding if a publication has under ``SHRUNK_BELOW`` of the usual rows or series.

    ``earlier``: publications before it, the newest first; the first ``COMPARED`` of them are compared.
    """
    compared = earlier[:COMPARED]
    if len(compared) < _FEWEST_COMPARED:
        return None
    usual_rows, usual_series = median(one.rows for one in compared), median(one.series for one in compared)
    if latest.rows >= SHRUNK_BELOW * usual_rows and latest.series >= SHRUNK_BELOW * usual_series:
        return None
    return Finding(
        Subject(source, dataset, AlertKind.SHRINKING, latest.day),
        f"{source}:{dataset} of {latest.day} has shrunk: {latest.rows:,} rows of {latest.series:,} series, "
        f"usually {usual_rows:,.0f} of {usual_series:,.0f}",
        {
            "rows": latest.rows,
            "series": latest.series,
            "usual_rows": usual_rows,
            "usual_series": usual_series,
            "compared": len(compared),
        },
    )
