"""Many series at once: what is left of their points when each bucket is summed up, and which of them moved.

Partials keep sum, count, least and greatest, and no mean: what is kept can be put together again, over more buckets.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from aurum.core.catalog import Quality
from aurum.core.errors import Invalid
from aurum.core.frames import MANY_OBSERVATIONS, UTC_US, conform

PARTIALS = pl.Schema(
    {
        "series_id": pl.Int32(),
        "ts": UTC_US,
        "count": pl.Int64(),
        "sum": pl.Float64(),
        "min": pl.Float64(),
        "max": pl.Float64(),
    }
)
"""Buckets of several series, ascending by (``series_id``, ``ts``): ``ts`` is where a bucket starts.

Buckets are counted in UTC from 1970. There is none in which no value stands: withdrawn values and NaN do not count.
"""

MEANS = pl.Schema({"series_id": pl.Int32(), "count": pl.Int64(), "mean": pl.Float64()})
"""One row a series, ascending."""

MOVERS = pl.Schema(
    {"series_id": pl.Int32(), "before": pl.Float64(), "after": pl.Float64(), "change": pl.Float64(), "ratio": pl.Float64()}
)
"""Means of two times and what lies between: ``change`` = after - before; ``ratio`` = change / |before|, null for 0."""


class InvalidBucket(Invalid):
    """Buckets that have no length. Facts: ``seconds``."""

    def __init__(self, every: timedelta) -> None:
        super().__init__(f"buckets need a length, not {every}", seconds=every.total_seconds())


def check_bucket(every: timedelta | None) -> None:
    """Raises ``InvalidBucket`` unless there is room in it."""
    if every is not None and every <= timedelta(0):
        raise InvalidBucket(every)


def partials(rows: pl.DataFrame, *, every: timedelta | None) -> pl.DataFrame:
    """Schema ``PARTIALS`` of rows in schema ``MANY_OBSERVATIONS``, in any order.

    ``every`` None: all of a series is one bucket, which starts where the first of its values does. Raises ``InvalidBucket``.
    """
    check_bucket(every)
    stands = (pl.col("quality") != int(Quality.WITHDRAWN)) & pl.col("value").is_not_nan()
    found = (
        conform(rows, MANY_OBSERVATIONS)
        .filter(stands)
        .select(
            "series_id",
            pl.col("ts") if every is None else pl.col("ts").dt.truncate(every),
            pl.lit(1, pl.Int64).alias("count"),
            pl.col("value").alias("sum"),
            pl.col("value").alias("min"),
            pl.col("value").alias("max"),
        )
    )
    return together(found, whole=every is None)


def together(found: pl.DataFrame, *, whole: bool) -> pl.DataFrame:
    """Partials of several places as those of one, schema ``PARTIALS``. ``whole``: all of a series is one bucket."""
    frame = conform(found, PARTIALS)
    keys = ["series_id"] if whole else ["series_id", "ts"]
    put = [pl.col("count").sum(), pl.col("sum").sum(), pl.col("min").min(), pl.col("max").max()]
    first = [pl.col("ts").min()] if whole else []
    return frame.group_by(keys).agg(*first, *put).sort(keys).select(list(PARTIALS))


def means(found: pl.DataFrame) -> pl.DataFrame:
    """Schema ``MEANS`` of partials: the mean over all buckets of each series, each value weighing the same."""
    whole = together(found, whole=True)
    return whole.select("series_id", "count", (pl.col("sum") / pl.col("count")).alias("mean"))


def movers(before: pl.DataFrame, after: pl.DataFrame, *, most: int) -> pl.DataFrame:
    """Schema ``MOVERS``: the series whose means differ most, either way, of those that are in both partials.

    The greatest change comes first; of two that are equal the lesser ``series_id``.
    """
    change = pl.col("after") - pl.col("before")
    return (
        means(before)
        .select("series_id", pl.col("mean").alias("before"))
        .join(means(after).select("series_id", pl.col("mean").alias("after")), on="series_id")
        .with_columns(change.alias("change"))
        .with_columns(pl.when(pl.col("before") != 0).then(pl.col("change") / pl.col("before").abs()).alias("ratio"))
        .sort(pl.col("change").abs(), pl.col("series_id"), descending=[True, False])
        .head(most)
        .select(list(MOVERS))
    )
