"""Sparklines of a page of series: the last observations of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from aurum.charts.sparkline import sparkline_svg
from aurum.core.errors import InvalidParameters
from aurum.core.frames import FILE_SPANS
from aurum.core.series.model import Series
from aurum.storage.ports.observations import NeighbourReader

POINTS = 48
"""Observations in a sparkline."""
MOST_SERIES = 100
"""Series in one page with sparklines."""
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class SeriesSparkline:
    """The last observations of a series, ascending; None: a withdrawn value.

    ``first``, ``last``: starts of their intervals; of none both are None.
    """

    first: datetime | None = None
    last: datetime | None = None
    points: tuple[float | None, ...] = ()

    @property
    def svg(self) -> str:
        """A small picture."""
        return sparkline_svg(self.points)


async def series_sparklines(reader: NeighbourReader, series: Sequence[Series]) -> Mapping[int, SeriesSparkline]:
    """Return the sparklines of some series by series id, of all of them by one read.

    Raises ``InvalidParameters`` about ``limit`` for too many of them.
    """
    if len(series) > MOST_SERIES:
        why = f"a page with sparklines has at most {MOST_SERIES} series: request fewer, and the next page"
        raise InvalidParameters(("limit", why, len(series)))
    # The points before the instant after the last one.
    bounds = [None if one.last_ts is None else one.last_ts + _INSTANT for one in series]
    columns = [
        range(len(series)),
        [str(one.key) for one in series],
        [str(one.spec.frequency) for one in series],
        bounds,
        bounds,
    ]
    spans = pl.DataFrame(dict(zip(FILE_SPANS, columns, strict=True)), FILE_SPANS).drop_nulls()
    lines = {one.series_id: SeriesSparkline() for one in series}
    if spans.is_empty():
        return lines
    points = await reader.neighbours(spans, count=POINTS)
    by_series = points.with_columns(pl.col("value").fill_nan(None)).group_by("series", maintain_order=True)
    rows: list[tuple[int, list[datetime], list[float | None]]] = by_series.agg("ts", "value").rows()
    for place, starts, values in rows:
        lines[series[place].series_id] = SeriesSparkline(starts[0], starts[-1], tuple(values))
    return lines
