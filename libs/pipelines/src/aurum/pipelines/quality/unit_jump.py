"""Series whose values jump by a power of ten between the store and a file, as when a publisher changes the unit.

Such a series is loaded, because the jump may be real, and all its values in the file are marked as suspect.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import polars as pl

from aurum.core.catalog.entries import UnitJump
from aurum.core.catalog.quality import Quality
from aurum.core.frames import FILE_SPANS, NEIGHBOURS
from aurum.storage.ports.files import FileLoad, Part
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
_NEAR = 2.0
"""Greatest ratio of two values of one instant that are certainly in the same unit."""
_LEAST_SHARE = 0.05
_LEAST_MEDIAN = 0.005
"""A median near zero has no meaningful ratio: below this, or below ``_LEAST_SHARE`` of the mean size of the values."""


async def mark_unit_jumps(load: FileLoad, neighbours: NeighbourReader) -> FileLoad:
    """Return a load with the values of series whose unit seems to have changed marked as suspect, and these series named.

    The median of a series in the file is compared with that of the stored points beside its span. Where those are too few,
    because the file covers all that is stored, the two medians are of the instants that both have. Raises ``Unavailable``.
    """
    marked = [await _marked(part, neighbours) for part in load.parts]
    jumps = [jump for _, some in marked for jump in some]
    if not jumps:
        return load
    record = replace(load.record, suspect_series=len(jumps), unit_jumps=tuple(jumps[:MOST_NAMED]))
    return replace(load, record=record, parts=tuple(part for part, _ in marked))


async def _marked(part: Part, neighbours: NeighbourReader) -> tuple[Part, list[UnitJump]]:
    if not isinstance(part, SeriesRows):
        return part, []  # quotes have products, whose units are reference data
    spans = await asyncio.to_thread(_spans, part)
    if spans.is_empty():
        return part, []
    # One stored point within the span suffices to show that a file that is loaded again has its old values, as most do.
    points = await neighbours.neighbours(spans.select(list(FILE_SPANS)), count=COMPARED_POINTS, within=1)
    if points.is_empty():
        return part, []
    is_inside = pl.col("ts").is_between("first", "last")
    placed = points.join(spans.select("series", "first", "last"), on="series", maintain_order="left")
    stored = placed.filter(~is_inside).select(list(NEIGHBOURS))
    jumping = [await asyncio.to_thread(jumps, spans, stored)]
    inside = placed.filter(is_inside)
    if not inside.is_empty():
        changed = await asyncio.to_thread(_changed, spans, part, inside, stored)
        if not changed.is_empty():
            wanted = changed.select(list(FILE_SPANS))
            both = await neighbours.neighbours(wanted, count=COMPARED_POINTS, within=COMPARED_POINTS)
            jumping.append(await asyncio.to_thread(_jumps_within, changed, part, both))
    return _suspected(part, pl.concat(jumping).sort("series"))


def _changed(spans: pl.DataFrame, part: SeriesRows, inside: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Return the spans of series with too few points in ``stored``, and a value in the file far from that in ``inside``.

    ``stored``: points outside the spans. ``inside``: stored points within them.
    """
    uncompared = spans.join(_medians(stored, "series").select("series"), on="series", how="anti")
    in_file = _current(part).select("series", "ts", pl.col("value").alias("in_file"))
    ratio = pl.col("in_file") / pl.col("value")
    is_near = (pl.col("in_file") == pl.col("value")) | ratio.is_between(1 / _NEAR, _NEAR)
    near = inside.join(in_file, on=["series", "ts"]).filter(is_near)
    return uncompared.join(near, on="series", how="anti").join(inside.select("series").unique(), on="series", how="semi")


def _jumps_within(spans: pl.DataFrame, part: SeriesRows, points: pl.DataFrame) -> pl.DataFrame:
    """Return ``jumps`` of the values at instants that both the file and the store have."""
    in_file = _current(part)
    at_both = points.join(in_file.select("series", "ts"), on=["series", "ts"], how="semi")
    levels = _medians(in_file.join(at_both.select("series", "ts"), on=["series", "ts"], how="semi"), "series")
    return jumps(spans.drop("median").join(levels, on="series").sort("series"), at_both)


def _suspected(part: SeriesRows, jumping: pl.DataFrame) -> tuple[SeriesRows, list[UnitJump]]:
    """Return the part with the values of ``jumping`` series (as ``jumps`` returns them) marked as suspect, and the jumps."""
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
    levels = _medians(_current(part), "series", pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last"))
    described = part.series.select("key", "frequency").with_row_index("series")
    return levels.join(described, on="series", how="inner").sort("series")


def _current(part: SeriesRows) -> pl.DataFrame:
    """Return the rows of a file without those that it supersedes itself."""
    rows = part.rows.filter(pl.col("version") == 0)
    if rows["known_at"].n_unique() > 1:  # a file with several publications of a point
        rows = rows.sort("known_at", maintain_order=True).unique(["series", "ts"], keep="last")
    return rows


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
