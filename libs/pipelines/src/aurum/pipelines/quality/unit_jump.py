"""Series whose values jump by a power of ten between the store and a file, as when a publisher changes the unit.

Such a series is loaded, because the jump may be real, and all its values in the file are marked as suspect.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import polars as pl

from aurum.core.catalog.entries import UnitJump
from aurum.core.catalog.quality import Quality
from aurum.core.frames import FILE_SPANS
from aurum.storage.ports.files import FileLoad
from aurum.storage.ports.observations import NeighbourReader, SeriesRows

LEAST_POINTS = 12
"""Points in a file, and stored points, below which their median says little of the unit."""
COMPARED_POINTS = 30
MOST_NAMED = 20
"""Series that a report names; the others are counted."""

_FACTORS = (10.0, 100.0, 1_000.0, 0.1, 0.01, 0.001)
_TOLERANCE = 0.1
_ROUNDING = 1e-9
"""So that a ratio at the very edge, such as 11 to 1, counts as within it."""
_LEAST_SHARE = 0.05
_LEAST_MEDIAN = 0.005
"""A median near zero has no meaningful ratio: below this, or below ``_LEAST_SHARE`` of the mean size of the values."""


async def mark_unit_jumps(load: FileLoad, neighbours: NeighbourReader) -> FileLoad:
    """Return a load with the values of series whose unit seems to have changed marked as suspect, and these series named.

    The median of a series in the file is compared with that of the stored points beside its span. Raises ``Unavailable``.
    """
    marked = [await _marked(part, neighbours) for part in load.parts]
    jumps = [jump for _, some in marked for jump in some]
    if not jumps:
        return load
    record = replace(load.record, suspect_series=len(jumps), unit_jumps=tuple(jumps[:MOST_NAMED]))
    return replace(load, record=record, parts=tuple(part for part, _ in marked))


async def _marked(part: SeriesRows, neighbours: NeighbourReader) -> tuple[SeriesRows, list[UnitJump]]:
    spans = await asyncio.to_thread(_spans, part)
    if spans.is_empty():
        return part, []
    stored = await neighbours.neighbours(spans.select(list(FILE_SPANS)), count=COMPARED_POINTS)
    if stored.is_empty():
        return part, []
    return await asyncio.to_thread(_compared, part, spans, stored)


def _compared(part: SeriesRows, spans: pl.DataFrame, stored: pl.DataFrame) -> tuple[SeriesRows, list[UnitJump]]:
    jumping = jumps(spans, stored)
    if jumping.is_empty():
        return part, []
    is_suspect = pl.col("series").is_in(jumping["series"].to_list()) & (pl.col("quality") < int(Quality.SUSPECT))
    quality = pl.when(is_suspect).then(pl.lit(int(Quality.SUSPECT), pl.Int16)).otherwise("quality").alias("quality")
    named = [UnitJump(*row) for row in jumping.select("key", "factor", "median", "stored").iter_rows()]  # rows: one a series
    return replace(part, rows=part.rows.with_columns(quality)), named


def jumps(spans: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Return the series that jump: ``series``, ``key``, ``factor``, ``median`` and ``stored`` (the median of stored points).

    ``spans``: schema ``FILE_SPANS`` and ``median``. ``stored``: schema ``NEIGHBOURS``.
    """
    levels = _medians(stored, "series").rename({"median": "stored"})
    compared = spans.join(levels, on="series", how="inner", maintain_order="left").with_columns(
        (pl.col("median") / pl.col("stored")).alias("ratio")
    )
    factor = pl.coalesce(pl.when(_is_within(each)).then(pl.lit(each)) for each in _FACTORS).alias("factor")
    return compared.with_columns(factor).drop_nulls("factor").select("series", "key", "factor", "median", "stored")


def _is_within(factor: float) -> pl.Expr:
    low, high = factor * (1 - _TOLERANCE) * (1 - _ROUNDING), factor * (1 + _TOLERANCE) * (1 + _ROUNDING)
    return pl.col("ratio").is_between(low, high)


def _spans(part: SeriesRows) -> pl.DataFrame:
    """Return spans (schema ``FILE_SPANS``) and medians of the series of a file that have enough points for a comparison."""
    rows = part.rows.filter(pl.col("version") == 0)
    if rows["known_at"].n_unique() > 1:  # a file with several publications of a point
        rows = rows.sort("known_at", maintain_order=True).unique(["series", "ts"], keep="last")
    levels = _medians(rows, "series", pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last"))
    described = part.series.select("key", "frequency").with_row_index("series")
    return levels.join(described, on="series", how="inner").sort("series")


def _medians(points: pl.DataFrame, key: str, *more: pl.Expr) -> pl.DataFrame:
    """Return the median of the finite values of each series that has enough of them, if it is not near zero."""
    size = pl.col("value").abs().mean().alias("size")
    levels = (
        points.filter(pl.col("value").is_finite())
        .group_by(key)
        .agg(pl.len().alias("points"), pl.col("value").median().alias("median"), size, *more)
    )
    level = pl.col("median").abs()
    is_clear = (level >= _LEAST_MEDIAN) & (level >= _LEAST_SHARE * pl.col("size"))
    return levels.filter((pl.col("points") >= LEAST_POINTS) & is_clear).drop("points", "size")
