"""Observation dates and series descriptions, for the CSV and the JSON format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import polars as pl

from aurum.core.calendars import BusinessDays
from aurum.core.frequency import Frequency
from aurum.core.series.weeks import Week
from aurum.pipelines.kinds import kind_of_unit
from aurum.pipelines.reading import dates
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import PARSED_SERIES, RefusedFile, describe_series
from aurum.pipelines.sources.fred.datasets import KNOWN, OBSERVATIONS, UNKNOWN_UNIT, WEEKDAYS, WEEKS, ZONE, SeriesFacts
from aurum.pipelines.spacing import DAYS

MISSING = (".", "NA", "#N/A", "NaN")

_GAPS = {**DAYS, Frequency.WEEK: (7, 7)}
"""Shortest distance in days between the dates of an unlisted series, by step."""
_DESCRIBED = ("location_name", "unit", "currency", "frequency", "business_days")
_SATURDAY = 6
_LEAST_SPAN = timedelta(days=14)
"""Dates over a shorter time do not show whether a series has values on weekends."""


def with_days(frame: pl.DataFrame, column: str, refusals: Refusals) -> pl.DataFrame:
    """Return the frame with ``ts``; rows without a valid date are held back."""
    return dates.with_days(frame, column, refusals, zone=ZONE, patterns=("%Y-%m-%d",))


def describe(rows: pl.DataFrame, dates: Mapping[str, Sequence[datetime]]) -> pl.DataFrame:
    """Return the ``PARSED_SERIES`` frame. ``dates``: the observation dates of each series, missing values included.

    Raises ``RefusedFile`` when the step of an unlisted series does not follow from its dates.
    """
    facts = {series: KNOWN.get(series) or _facts_of(series, days) for series, days in dates.items()}
    described = pl.DataFrame(
        [
            (series, each.title, each.unit, each.currency, str(each.frequency), each.business_days)
            for series, each in facts.items()
        ],
        schema=dict.fromkeys(("location", *_DESCRIBED), pl.String),
        orient="row",
    )
    series = describe_series(OBSERVATIONS, rows).drop(_DESCRIBED)
    joined = series.join(described, on="location", how="left", maintain_order="left")
    return joined.with_columns(location_type=pl.lit("series"), kind=kind_of_unit()).select(list(PARSED_SERIES))


def _facts_of(series: str, days: Sequence[datetime]) -> SeriesFacts:
    """Return what is known of a series that is not listed in ``KNOWN``: its step, and its calendar, from its dates."""
    if series in WEEKS:  # holidays may move a date, so that no two are seven days apart
        return SeriesFacts("", Frequency.WEEK, UNKNOWN_UNIT)
    return SeriesFacts("", step_of(series, days), UNKNOWN_UNIT, business_days=_business_days_of(series, days))


def declared_weeks() -> pl.Expr:
    """Return the name of the ``Week`` of each weekly series in a ``PARSED_SERIES`` frame."""
    weeks = {series: str(week) for series, week in WEEKS.items()}
    return pl.col("location").replace_strict(weeks, default=str(Week.UNDECLARED), return_dtype=pl.String)


def declared_weekdays() -> pl.Expr:
    """Return the weekday of the stamps of each weekly series in a ``PARSED_SERIES`` frame, null where it is not known."""
    return pl.col("location").replace_strict(dict(WEEKDAYS), default=None, return_dtype=pl.Int64)


def step_of(series: str, days: Sequence[datetime]) -> Frequency:
    """Return the step of a series, from the shortest distance between its dates. Raises ``RefusedFile``."""
    gaps = [(after - before).days for before, after in pairwise(sorted(set(days)))]
    steps = [step for step, (low, high) in _GAPS.items() if gaps and low <= min(gaps) <= high]
    if not steps:
        raise RefusedFile(f"the step of {series} does not follow from its {len(days)} dates")
    return steps[0]


def _business_days_of(series: str, days: Sequence[datetime]) -> BusinessDays | None:
    """Return the calendar of an unlisted daily series: that of its publisher if none of its dates is on a weekend."""
    is_daily = step_of(series, days) is Frequency.DAY
    if not is_daily or max(days) - min(days) < _LEAST_SPAN or any(day.isoweekday() >= _SATURDAY for day in days):
        return None
    return BusinessDays.US_FEDERAL
