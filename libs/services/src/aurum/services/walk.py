"""Rows of many series for one page: series after series by key, each by time, read in groups until the page is full."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import polars as pl

from aurum.core.asof import Span
from aurum.core.series.model import Series
from aurum.services.catalog import each_series
from aurum.services.observations.complexity import estimated_points
from aurum.services.observations.reading import Reading
from aurum.storage.ports.catalog import Catalog, SeriesFilter

_SMALLEST_GROUP, _LARGEST_GROUP = 2, 64
_GROUP_POINTS = 400_000
_ALL_POINTS = 3_000_000
"""A page may end early, with a position to continue from, rather than read more than this for a few rows that match."""
_END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

Position = tuple[str, datetime]
"""The sort key of a row: the key of its series and the start of its interval."""

ReadGroup = Callable[[Reading, Sequence[Series]], Awaitable[pl.DataFrame]]
"""Reads some series of one dataset: a frame with ``key`` and ``ts`` first, ascending by both, then the columns of a row."""


def every_series(_series: Series) -> bool:
    """Match every series."""
    return True


@dataclass(frozen=True, slots=True)
class Walk:
    """A list of rows: the filters of its series, the span of each series, and the function that reads rows.

    ``criteria``: filters, ascending; each selects one source, and one dataset of it or all. ``weight``: the number of series
    that are read for each series of the walk.
    """

    criteria: Sequence[SeriesFilter]
    span_of: Callable[[Series], Span]
    read: ReadGroup
    matches: Callable[[Series], bool] = every_series
    weight: int = 1


@dataclass(frozen=True, slots=True)
class WalkPage:
    """Rows of a page, with their series by key. ``following``: the next page begins after it; None on the last page."""

    frame: pl.DataFrame
    series: Mapping[str, Series]
    following: Position | None


async def walk_page(
    catalog: Catalog, reading: Reading, walk: Walk, *, after: Position | None, limit: int, offset: int = 0
) -> WalkPage:
    """Return the rows after a position, at most ``limit``, without the first ``offset``.

    The frame of a page without rows may lack columns. Raises like the reads of the walk.
    """
    # A question has no limit of its own here: the walk has one for all of them.
    unlimited = replace(reading, most_points=sys.maxsize)
    frames: list[pl.DataFrame] = []
    seen: dict[str, Series] = {}
    rows = points = 0
    stopped: Position | None = None
    async with aclosing(_groups(catalog, walk, after)) as groups:
        async for group in groups:
            if points > _ALL_POINTS:
                stopped = list(seen)[-1], _END
                break
            points += walk.weight * sum(estimated_points([one], walk.span_of(one)) for one in group)
            frame = _after(await walk.read(unlimited, group), after)
            frames.append(frame)
            seen |= {str(one.key): one for one in group}
            rows += frame.height
            if rows > offset + limit:
                break
    whole = pl.concat(frames) if frames else pl.DataFrame()
    shown = whole.slice(offset, limit)
    if whole.height > offset + limit:
        stopped = shown["key"][-1], shown["ts"][-1]
    return WalkPage(shown, seen, stopped)


def _after(frame: pl.DataFrame, position: Position | None) -> pl.DataFrame:
    if position is None:
        return frame
    key, ts = position
    return frame.filter((pl.col("key") > key) | ((pl.col("key") == key) & (pl.col("ts") > ts)))


async def _groups(catalog: Catalog, walk: Walk, after: Position | None) -> AsyncGenerator[list[Series]]:
    """Yield the series of a walk in groups of one dataset: small ones first, for most pages are full after a few."""
    group: list[Series] = []
    room, points = _SMALLEST_GROUP, 0
    start = after[0] if after is not None else None
    async with aclosing(each_series(catalog, walk.criteria, walk.matches, start=start)) as matching:
        async for one in matching:
            cost = walk.weight * estimated_points([one], walk.span_of(one))
            is_other_dataset = bool(group) and (group[0].key.source, group[0].key.dataset) != (one.key.source, one.key.dataset)
            if group and (is_other_dataset or len(group) >= room or points + cost > _GROUP_POINTS):
                yield group
                group, points, room = [], 0, min(4 * room, _LARGEST_GROUP)
            group.append(one)
            points += cost
    if group:
        yield group
