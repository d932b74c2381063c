"""Rows of many series for one page: series after series by key, each by time, read in groups until the page is full."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.handlers.services import services
from aurum.api.v1.csv import CsvFile
from aurum.api.v1.cursors import Cursors, Position, Trail
from aurum.api.v1.envelope import page_response
from aurum.api.v1.pages import Page, PageRequest, requested_page
from aurum.core.asof import Span
from aurum.core.series.model import Series
from aurum.services.catalog import each_series
from aurum.services.observations import Reading
from aurum.services.observations.complexity import estimated_points
from aurum.storage.ports.catalog import Catalog, SeriesFilter

_POSITION_PARTS = 2
"""A position is a series key and an instant."""
_SMALLEST_GROUP, _LARGEST_GROUP = 2, 64
_GROUP_POINTS = 400_000
_ALL_POINTS = 3_000_000
"""A page may end early, with a cursor, rather than read more than this for a few rows that match."""
_END = "9999-12-31T23:59:59+00:00"

ReadGroup = Callable[[Reading, Sequence[Series]], Awaitable[pl.DataFrame]]
"""Reads some series of one dataset: a frame with ``key`` and ``ts`` first, ascending by both, then the columns of a row."""
RowOf = Callable[[Series, Mapping[str, Any]], Mapping[str, object]]
"""Makes a row of an answer from its series and its columns."""


def every_series(_series: Series) -> bool:
    """Match every series."""
    return True


@dataclass(frozen=True, slots=True)
class Walk:
    """A list of rows: the filters of its series, the span of each series, and the functions that read rows.

    ``criteria``: filters, ascending; each selects one source, and one dataset of it or all. ``weight``: the number of series
    that are read for each series of the walk.
    """

    criteria: Sequence[SeriesFilter]
    span_of: Callable[[Series], Span]
    read: ReadGroup
    row: RowOf
    matches: Callable[[Series], bool] = every_series
    weight: int = 1


def requested_rows(request: Request, cursors: Cursors, limit: int, *, offset: int = 0) -> PageRequest:
    """Return the page of a walk that a client asks for. Raises ``BadRequest``."""
    return requested_page(request, cursors, limit, width=_POSITION_PARTS, offset=offset)


async def walk_response(
    request: Request, walk: Walk, requested: PageRequest, *, csv: CsvFile | None = None, shows_offset: bool = False
) -> Response:
    """Answer with the requested page of a walk, as a CSV file or as JSON."""
    service = services(request)
    # A question has no limit of its own here: the walk has one for all of them.
    reading = replace(service.reading, most_points=sys.maxsize)
    rows, following = await _page_of(service.store.catalog.reader, reading, walk, requested)
    page = Page(rows, requested, following, offset=requested.offset if shows_offset else None)
    return page_response(request, page, csv)


async def _page_of(
    catalog: Catalog, reading: Reading, walk: Walk, requested: PageRequest
) -> tuple[list[Mapping[str, object]], Trail | None]:
    """Return the rows of a page and the trail of the next one."""
    frames: list[pl.DataFrame] = []
    seen: dict[str, Series] = {}
    rows = points = 0
    stopped: Position | None = None
    async with aclosing(_groups(catalog, walk, requested.trail.after)) as groups:
        async for group in groups:
            if points > _ALL_POINTS:
                stopped = (list(seen)[-1], _END)
                break
            points += walk.weight * sum(estimated_points([one], walk.span_of(one)) for one in group)
            frame = _after(await walk.read(reading, group), requested.trail.after)
            frames.append(frame)
            seen |= {str(one.key): one for one in group}
            rows += frame.height
            if rows > requested.offset + requested.limit:
                break
    frame, following = _cut(pl.concat(frames) if frames else pl.DataFrame(), requested, stopped)
    return [walk.row(seen[values["key"]], values) for values in frame.to_dicts()], following  # rows: a page, a thousand at most


def _cut(frame: pl.DataFrame, requested: PageRequest, stopped: Position | None) -> tuple[pl.DataFrame, Trail | None]:
    shown = frame.slice(requested.offset, requested.limit)
    if frame.height > requested.offset + requested.limit:
        return shown, requested.trail.onwards((shown["key"][-1], shown["ts"][-1].isoformat()))
    return shown, requested.trail.onwards(stopped) if stopped is not None else None


def _after(frame: pl.DataFrame, position: Position) -> pl.DataFrame:
    if not position:
        return frame
    key, ts = position[0], datetime.fromisoformat(position[1]).astimezone(UTC)
    return frame.filter((pl.col("key") > key) | ((pl.col("key") == key) & (pl.col("ts") > ts)))


async def _groups(catalog: Catalog, walk: Walk, after: Position) -> AsyncGenerator[list[Series]]:
    """Yield the series of a walk in groups of one dataset: small ones first, for most pages are full after a few."""
    group: list[Series] = []
    room, points = _SMALLEST_GROUP, 0
    async with aclosing(each_series(catalog, walk.criteria, walk.matches, start=after[0] if after else None)) as matching:
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
