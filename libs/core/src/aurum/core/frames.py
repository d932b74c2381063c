"""Polars schemas of observations, one for each stage from parser to encoder. Times are ``Datetime("us", "UTC")``.

A batch of observations is one columnar frame in every stage, never a list of objects.
"""

from __future__ import annotations

import polars as pl

from aurum.core.errors import Invalid

UTC_US = pl.Datetime("us", "UTC")

OBSERVATIONS = pl.Schema({"ts": UTC_US, "value": pl.Float64(), "quality": pl.Int16(), "known_at": UTC_US})
"""Observations of one series, as a reader returns them, ascending by ``ts``. ``value`` is never null; withdrawn it is NaN."""

MANY_OBSERVATIONS = pl.Schema({"series_id": pl.Int32(), **OBSERVATIONS})
"""Observations of several series, ascending by (``series_id``, ``ts``)."""

REVISIONS = OBSERVATIONS
"""All versions of the points of one series, ascending by (``ts``, ``known_at``)."""

HISTORY = pl.Schema(
    {
        "series_id": pl.Int32(),
        "ts": UTC_US,
        "known_at": UTC_US,
        "superseded_at": UTC_US,
        "value": pl.Float64(),
        "quality": pl.Int16(),
    }
)
"""All versions of the points of several series, ascending by (``series_id``, ``ts``, ``known_at``).

A version is in force from ``known_at``, up to and not including ``superseded_at``, which is null for the current value.
"""

CONFIRMATIONS = pl.Schema({"series_id": pl.Int32(), "ts": UTC_US, "known_at": UTC_US})
"""Publications that repeated the value in force, ascending by (``series_id``, ``ts``, ``known_at``)."""

PUBLICATIONS = pl.Schema(MANY_OBSERVATIONS)
"""Publications for a writer, in any order. A batch may hold several known times of one (``series_id``, ``ts``)."""

PARSED = pl.Schema(
    {
        "location": pl.String(),
        "measure": pl.String(),
        "ts": UTC_US,
        "value": pl.Float64(),
        "quality": pl.Int16(),
        "version": pl.Int16(),
        "line": pl.UInt32(),
    }
)
"""Observations as a parser returns them: a row for each, in file order.

``version``: 0 for the value that the file presents as current; -1, -2 ... for earlier versions of the same point in the same
file, counted back from the current one. ``line``: 1-based line (text), row (workbook) or element (XML, JSON).
"""

REFUSED = pl.Schema(
    {
        "line": pl.UInt32(),
        "column": pl.String(),
        "raw": pl.String(),
        "reason": pl.String(),
        "detail": pl.String(),
    }
)
"""Rows, or cells, that a check refused: their position in the file, their raw text and the reason (a ``Reason``)."""


class FrameMismatch(Invalid):
    """A frame without the columns and dtypes of its schema. This is a bug in the caller."""


def conform(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Return the frame with exactly the schema's columns, in its order.

    Raises ``FrameMismatch`` when a column is missing or has another dtype.
    """
    wrong = [
        f"{name}: {frame.schema.get(name, 'missing')} instead of {dtype}"
        for name, dtype in schema.items()
        if frame.schema.get(name) != dtype
    ]
    if wrong:
        raise FrameMismatch("; ".join(wrong))
    return frame.select(list(schema))


SERIES = pl.Schema(
    {
        "key": pl.String(),
        "source": pl.String(),
        "dataset": pl.String(),
        "location": pl.String(),
        "measure": pl.String(),
        "market": pl.String(),
        "unit": pl.String(),
        "currency": pl.String(),
        "frequency": pl.String(),
        "zone": pl.String(),
        "location_name": pl.String(),
        "location_type": pl.String(),
        "labels": pl.String(),
        "business_days": pl.String(),
        "kind": pl.String(),
        "market_run": pl.String(),
        "fuel": pl.String(),
        "fuel_detail": pl.String(),
    }
)
"""Series, one row each, with the fields of ``series.model.SeriesSpec``; ``labels`` is a JSON object of strings, ``kind`` is
never null."""

FILE_ROWS = pl.Schema(
    {
        "series": pl.UInt32(),
        "ts": UTC_US,
        "value": pl.Float64(),
        "quality": pl.Int16(),
        "known_at": UTC_US,
        "version": pl.Int16(),
    }
)
"""Observations of one file. ``series``: row number in the file's ``SERIES`` frame. ``known_at``: null for the time of loading.

``version``: as in ``PARSED``. An earlier version is stored as known that many microseconds before ``known_at``, so that the
versions in a file keep their order.
"""

FILE_SERIES = pl.Schema(
    {
        "series_id": pl.Int32(),
        "first_ts": UTC_US,
        "last_ts": UTC_US,
        "known_at": UTC_US,
        "new": pl.Int32(),
        "revised": pl.Int32(),
        "new_first_ts": UTC_US,
        "new_last_ts": UTC_US,
        "is_sole": pl.Boolean(),
        "is_scheduled": pl.Boolean(),
    }
)
"""Summary of one file by series, one row each: first and last interval start, latest known time, and the numbers of points that
it added and revised. Points that it repeats are in neither number.

``new_first_ts``, ``new_last_ts``: the series had no point from the one to the other before the file; the first after the last
where it had, or for no new points. ``is_sole``: before the file, no publication of the series was known at ``known_at`` or
later; false if that was not looked up. ``is_scheduled``: ``known_at`` is from the dataset's publication rule."""

FILE_SPANS = pl.Schema({"series": pl.UInt32(), "key": pl.String(), "frequency": pl.String(), "first": UTC_US, "last": UTC_US})
"""First and last interval start of series in a file, one row each. ``series``: as in ``FILE_ROWS``."""

BASES = pl.Schema({"series_id": pl.Int32(), "known_at": UTC_US, "basis": pl.String()})
"""Known times of series that files give, with their bases (``KnownAtBasis``), one row each."""

NEIGHBOURS = pl.Schema({"series": pl.UInt32(), "ts": UTC_US, "value": pl.Float64()})
"""Stored points beside the spans of series in a file, ascending by (``series``, ``ts``). ``series``: as in ``FILE_SPANS``."""

CHANGED_POINTS = pl.Schema(
    {
        "key": pl.String(),
        "ts": UTC_US,
        "value": pl.Float64(),
        "quality": pl.Int16(),
        "known_at": UTC_US,
        "old_value": pl.Float64(),
        "old_quality": pl.Int16(),
        "old_known_at": UTC_US,
    }
)
"""Points that a recording added or revised, ascending by (``key``, ``ts``): what it said, and what was in force just before.

The columns ``old_*`` are null for a new point. A value is NaN where it was withdrawn."""
