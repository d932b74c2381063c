"""Rows of many series for one page: series after series by key, each by time, read in groups until the page is full."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import polars as pl

from aurum.api.handlers.services import Services
from aurum.api.v1.cursors import Position, Trail
from aurum.core.asof import Span
from aurum.core.series.model import Series
from aurum.services.observations import Reading
from aurum.services.observations.complexity import estimated_points
from aurum.storage.ports.catalog import Catalog, SeriesFilter

POSITION = 2
"""Parts of a position: series key and instant."""

_PAGE = 500
_MOST_SERIES = 64
_GROUP_POINTS = 400_000
_ALL_POINTS = 3_000_000
"""A page may end early, with a cursor, rather than read more than this for a few rows that fit the question."""
_END = "9999-12-31T23:59:59+00:00"

Matches = Callable[[Series], bool]


@dataclass(frozen=True, slots=True)
class Walk:
    """What to read, in which order.

    ``criteria``: of one source and dataset or more each, ascending. ``span_of``: the span to read of a series.
    ``rows``: reads some series of one dataset: a frame with ``key`` and ``ts`` first, ascending by both, and what else a row
    has. ``weight``: series that are read for each of the walk's.
    """

    criteria: Sequence[SeriesFilter]
    matches: Matches
    span_of: Callable[[Series], Span]
    rows: Callable[[Sequence[Series]], Awaitable[pl.DataFrame]]
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Walked:
    """Rows of a page, the series they are of, and the trail of the page after; None on the last."""

    frame: pl.DataFrame
    series: Sequence[Series]
    following: Trail | None

    def rows(self, row: Callable[[Series, Mapping[str, Any]], Mapping[str, object]]) -> list[Mapping[str, object]]:
        """The rows as documents, each made from its series and its columns."""
        by_key = {str(one.key): one for one in self.series}
        return [row(by_key[values["key"]], values) for values in self.frame.to_dicts()]  # rows: a page, a thousand at most


def reading_of(service: Services) -> Reading:
    """What the rows of a walk are read with: without a limit for each question, for a walk has one for all of them."""
    return replace(service.reading, most_points=sys.maxsize)


async def walked(catalog: Catalog, walk: Walk, trail: Trail, limit: int, *, offset: int = 0) -> Walked:
    """A page of ``limit`` rows, ``offset`` rows after the beginning; a page that a cursor leads to begins at the cursor."""
    offset = 0 if trail.after else offset
    frames: list[pl.DataFrame] = []
    seen: list[Series] = []
    found = points = 0
    last: Position = ()
    async with aclosing(_groups(catalog, walk, trail.after)) as groups:
        async for group in groups:
            if points > _ALL_POINTS:
                return _page(frames, seen, trail, limit, offset, stopped=last)
            points += walk.weight * sum(estimated_points([one], walk.span_of(one)) for one in group)
            frame = _after(await walk.rows(group), trail.after)
            frames.append(frame)
            seen += group
            found += frame.height
            last = (str(group[-1].key), _END)
            if found > offset + limit:
                break
    return _page(frames, seen, trail, limit, offset, stopped=None)


def _page(
    frames: Sequence[pl.DataFrame], seen: Sequence[Series], trail: Trail, limit: int, offset: int, *, stopped: Position | None
) -> Walked:
    together = pl.concat(frames) if frames else pl.DataFrame()
    shown = together.slice(offset, limit)
    if together.height > offset + limit:
        key, ts = shown["key"][-1], shown["ts"][-1]
        return Walked(shown, seen, trail.onwards((key, ts.isoformat())))
    return Walked(shown, seen, trail.onwards(stopped) if stopped is not None else None)


def _after(frame: pl.DataFrame, after: Position) -> pl.DataFrame:
    if not after:
        return frame
    key, ts = after[0], datetime.fromisoformat(after[1]).astimezone(UTC)
    return frame.filter((pl.col("key") > key) | ((pl.col("key") == key) & (pl.col("ts") > ts)))


async def _groups(catalog: Catalog, walk: Walk, after: Position) -> AsyncGenerator[list[Series]]:
    """Series in groups of one dataset: small ones first, for most pages are full after a few."""
    group: list[Series] = []
    room, points = 2, 0
    async with aclosing(series_from(catalog, walk.criteria, walk.matches, start=after[0] if after else None)) as found:
        async for one in found:
            cost = walk.weight * estimated_points([one], walk.span_of(one))
            another = bool(group) and (group[0].key.source, group[0].key.dataset) != (one.key.source, one.key.dataset)
            if group and (another or len(group) >= room or points + cost > _GROUP_POINTS):
                yield group
                group, points, room = [], 0, min(4 * room, _MOST_SERIES)
            group.append(one)
            points += cost
    if group:
        yield group


async def series_from(
    catalog: Catalog, criteria: Sequence[SeriesFilter], matches: Matches, *, start: str | None = None
) -> AsyncGenerator[Series]:
    """Series by key, criterion after criterion, from the series called ``start`` on, that one included."""
    for one in criteria:
        after = None
        if start is not None:
            prefix = f"{one.source}:{one.dataset}:" if one.dataset else f"{one.source}:"
            if not start.startswith(prefix):
                if start > prefix:
                    continue
            else:
                first = (await catalog.series_by_key([start])).get(start)
                if first is not None and matches(first):
                    yield first
                after = start
        while True:
            page = await catalog.series_page(one, after=after, limit=_PAGE)
            for series in page:
                if matches(series):
                    yield series
            if len(page) < _PAGE:
                break
            after = str(page[-1].key)
