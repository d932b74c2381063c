"""Reads of the points beside the spans of a file, and within the spans where too few are beside them.

One range serves most series; each of the others needs a look-up of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import polars as pl

from aurum.core.asof import Span
from aurum.core.frames import FILE_SPANS, NEIGHBOURS, UTC_US, conform
from aurum.core.frequency import Frequency
from aurum.storage.ports.history import ArchivedPart, HistoryStore
from aurum.storage.postgres.connection.columns import packed, unpacked
from aurum.storage.postgres.connection.pool import Connection, ReadPool
from aurum.storage.postgres.history.parts import PART, PARTS, parts_of

_MOST_RANGES = 4
"""Ranges that are read at most: a file has the same first interval for nearly all of its series."""
_LENGTHS = {
    Frequency.DAY: timedelta(days=1, hours=1),
    Frequency.WEEK: timedelta(days=7, hours=1),
    Frequency.MONTH: timedelta(days=31),
    Frequency.QUARTER: timedelta(days=92),
    Frequency.YEAR: timedelta(days=366),
}

_SPAN = {"series": "int4", "series_id": "int4", "first_ts": "timestamptz", "last_ts": "timestamptz"}
_STORED = packed(
    _SPAN,
    """SELECT f.series, s.series_id, s.first_ts, s.last_ts FROM unnest($1::int[], $2::text[]) AS f(series, key)
       JOIN series AS s USING (key) WHERE s.first_ts IS NOT NULL""",
)
_POINT = {"series_id": "int4", "ts": "timestamptz", "value": "float8"}
_RANGE = packed(_POINT, "SELECT series_id, ts, value FROM observation WHERE series_id = ANY($1) AND ts >= $2 AND ts < $3")
_NEAREST = """
SELECT w.series_id, p.ts, p.value FROM unnest($1::int[], $2::timestamptz[]) AS w(series_id, bound)
CROSS JOIN LATERAL (
    SELECT o.ts, o.value FROM observation AS o WHERE o.series_id = w.series_id AND o.ts {than} w.bound
    ORDER BY o.ts {order} LIMIT $3
) AS p
"""
_LAST_BEFORE = packed(_POINT, _NEAREST.format(than="<", order="DESC"))
_FIRST_AFTER = packed(_POINT, _NEAREST.format(than=">", order="ASC"))
_PARTS_OF = f"SELECT {PART} FROM {PARTS} WHERE p.series_id = ANY($1) ORDER BY p.series_id, p.month"  # noqa: S608 - constants

_WANTED = pl.Schema(
    {"series_id": pl.Int32(), "series": pl.UInt32(), "first_ts": UTC_US, "bound": UTC_US, "frequency": pl.String()}
)


class PostgresNeighbourReader:
    """``NeighbourReader`` on PostgreSQL. ``history``: returns the history store when points are read."""

    def __init__(self, pool: ReadPool, history: Callable[[], HistoryStore | None] = lambda: None) -> None:
        self._pool = pool
        self._history = history

    async def neighbours(self, spans: pl.DataFrame, *, count: int, within: int = 0) -> pl.DataFrame:
        history = self._history()
        async with self._pool.acquire() as connection:
            stored = await _stored(connection, conform(spans, FILE_SPANS))
            before, after = _wanted(stored, "is_before", "first"), _wanted(stored, "is_after", "last")
            after = after.join(before, on="series", how="anti")
            sides = [_Side(before, await _before(connection, before, count), count, is_before=True)]
            if not after.is_empty():
                first = _nearest(await _points(connection, _FIRST_AFTER, after, count), after, count, is_before=False)
                sides.append(_Side(after, first, count, is_before=False))
            beside = len(sides)
            few = _up_to_last(stored.join(_series_with(sides, count), on="series", how="anti")) if within else stored.clear()
            if not few.is_empty():
                sides.append(_Side(few, await _before(connection, few, within), within, is_before=True))
            parts = [await _archived(connection, side) if history is not None else () for side in sides]
        read = [
            replace(side, points=await _with_archived(history, side, some)) if history is not None and some else side
            for side, some in zip(sides, parts, strict=True)
        ]
        inside = pl.concat([_nothing(), *(side.points for side in read[beside:])])
        inside = inside.join(stored.select("series", "first"), on="series").filter(pl.col("ts") >= pl.col("first"))
        inside = inside.join(_series_with(read[:beside], count), on="series", how="anti").select(list(NEIGHBOURS))
        points = pl.concat([*(side.points for side in read[:beside]), inside])
        return conform(points.sort("series", "ts"), NEIGHBOURS)


@dataclass(frozen=True, slots=True)
class _Side:
    """Series whose points lie on one side of a bound, schema ``_WANTED``, and those found so far, schema ``NEIGHBOURS``.

    ``count``: the number of points that are wanted.
    """

    wanted: pl.DataFrame
    points: pl.DataFrame
    count: int
    is_before: bool


async def _archived(connection: Connection, side: _Side) -> Sequence[ArchivedPart]:
    """Return the archived parts with further points of the series that have too few hot ones."""
    count = side.count
    short = _short(side.wanted, side.points, count, is_before=side.is_before)
    if short.is_empty():
        return ()
    parts = parts_of(await connection.fetch(_PARTS_OF, short["series_id"].to_list()))
    bounds: dict[int, datetime] = dict(zip(short["series_id"].to_list(), short["bound"].to_list(), strict=True))
    return [
        part
        for series_id, group in _by_series(parts).items()
        for part in _nearest_parts(group, bounds[series_id], count, is_before=side.is_before)
    ]


async def _with_archived(history: HistoryStore, side: _Side, parts: Sequence[ArchivedPart]) -> pl.DataFrame:
    """Return the nearest points of both stores. Reads ``count`` steps beside the bounds, and more only of series with gaps."""
    count = side.count
    hot = side.points.join(side.wanted.select("series", "series_id"), on="series").select(list(_POINT))
    wanted = side.wanted.filter(pl.col("series_id").is_in({part.series_id for part in parts}))
    near, far = _near_and_far(wanted, count, is_before=side.is_before)
    points = _both(hot, await history.many(parts, span=near))
    if far is not None:
        # A hot point that is further away than this span does not count: an archived one may lie between.
        nearest = _nearest(points.filter(_within(near)), wanted, count, is_before=side.is_before)
        short = set(_short(wanted, nearest, count, is_before=side.is_before)["series_id"])
        rest = [part for part in parts if part.series_id in short]
        points = _both(points, await history.many(rest, span=far)) if rest else points
    return _nearest(points, side.wanted, count, is_before=side.is_before)


def _near_and_far(wanted: pl.DataFrame, count: int, *, is_before: bool) -> tuple[Span, Span | None]:
    """Return the span that has ``count`` steps of each series beside its bound, and the span beyond it, if there is any."""
    bounds: list[datetime] = wanted["bound"].to_list()
    first, last = min(bounds), max(bounds)
    lengths = [_length(Frequency(text)) for text in wanted["frequency"].unique()]
    known = [length for length in lengths if length is not None]
    try:
        reach = (count + 1) * max(known) if len(known) == len(lengths) else None
        if reach is not None and is_before:
            return Span(first - reach, last), Span(None, first - reach)
        if reach is not None:
            return Span(first, last + reach), Span(last + reach, None)
    except OverflowError:  # beyond the years 1 and 9999
        pass
    return (Span(None, last) if is_before else Span(first, None)), None


def _length(frequency: Frequency) -> timedelta | None:
    """Return the longest interval of a step; None if it has none."""
    return frequency.step or _LENGTHS.get(frequency)


def _within(span: Span) -> pl.Expr:
    after_start = pl.lit(True) if span.start is None else pl.col("ts") >= span.start
    return after_start if span.end is None else after_start & (pl.col("ts") < span.end)


def _both(points: pl.DataFrame, archived: pl.DataFrame) -> pl.DataFrame:
    """Return the points of both frames. A month that was archived between the two reads is in both."""
    return pl.concat([points, archived.select(list(_POINT))]).unique(["series_id", "ts"])


async def _stored(connection: Connection, spans: pl.DataFrame) -> pl.DataFrame:
    """Return the stored series of the spans: ``_SPAN``, the columns of ``spans``, whether they have points
    before and after the span, and ``last_within``, the last instant that may be within it."""
    row = await connection.fetchrow(_STORED, spans["series"].to_list(), spans["key"].to_list())
    stored = unpacked(_SPAN, row).with_columns(pl.col("series").cast(pl.UInt32))
    return stored.join(spans, on="series").with_columns(
        is_before=pl.col("first_ts") < pl.col("first"),
        is_after=pl.col("last_ts") > pl.col("last"),
        last_within=pl.min_horizontal("last_ts", "last"),
    )


def _wanted(stored: pl.DataFrame, which: str, bound: str) -> pl.DataFrame:
    """Return the series for which column ``which`` is true, schema ``_WANTED``. ``bound``: the column of their bounds."""
    return stored.filter(which).with_columns(pl.col(bound).alias("bound")).select(list(_WANTED))


def _up_to_last(stored: pl.DataFrame) -> pl.DataFrame:
    """Return the series with points in their span, with the bound after the last one, schema ``_WANTED``."""
    inside = stored.filter(pl.col("last_within") >= pl.col("first"))
    return inside.with_columns((pl.col("last_within") + pl.duration(microseconds=1)).alias("bound")).select(list(_WANTED))


def _series_with(sides: Sequence[_Side], count: int) -> pl.DataFrame:
    """Return the series that have ``count`` points."""
    points = pl.concat([side.points for side in sides])
    return points.group_by("series").len().filter(pl.col("len") >= count).select("series")


async def _before(connection: Connection, wanted: pl.DataFrame, count: int) -> pl.DataFrame:
    """Return the last points before the bound of each series.

    For a fixed step they lie in the ``count`` steps before it, if none is missing: one range serves all series of a step.
    """
    ranges = [_nothing()]
    for group, since in _ranges(wanted, count):
        row = await connection.fetchrow(_RANGE, group["series_id"].to_list(), since, group["bound"][0])
        ranges.append(_nearest(unpacked(_POINT, row), group, count, is_before=True))
    nearest = pl.concat(ranges)
    rest = _short(wanted, nearest, count, is_before=True)
    if rest.is_empty():
        return nearest
    looked_up = _nearest(await _points(connection, _LAST_BEFORE, rest, count), rest, count, is_before=True)
    return pl.concat([nearest.join(rest, on="series", how="anti"), looked_up])


def _ranges(wanted: pl.DataFrame, count: int) -> Iterator[tuple[pl.DataFrame, datetime]]:
    """Yield the largest groups of series with one step and one bound, and the start of the range to read of each."""
    groups = sorted(wanted.partition_by("frequency", "bound"), key=lambda group: -group.height)
    for group in groups[:_MOST_RANGES]:
        length = _length(Frequency(group["frequency"][0]))
        if length is not None:
            try:
                yield group, group["bound"][0] - count * length
            except OverflowError:  # before year 1
                continue


async def _points(connection: Connection, statement: str, wanted: pl.DataFrame, count: int) -> pl.DataFrame:
    row = await connection.fetchrow(statement, wanted["series_id"].to_list(), wanted["bound"].to_list(), count)
    return unpacked(_POINT, row)


def _nearest(points: pl.DataFrame, wanted: pl.DataFrame, count: int, *, is_before: bool) -> pl.DataFrame:
    """Return the ``count`` points of each series that are nearest to its bound, schema ``NEIGHBOURS``."""
    outside = pl.col("ts") < pl.col("bound") if is_before else pl.col("ts") > pl.col("bound")
    beside = points.join(wanted.select("series_id", "series", "bound"), on="series_id").filter(outside).sort("series", "ts")
    groups = beside.select(list(NEIGHBOURS)).group_by("series", maintain_order=True)
    return groups.tail(count) if is_before else groups.head(count)


def _short(wanted: pl.DataFrame, nearest: pl.DataFrame, count: int, *, is_before: bool) -> pl.DataFrame:
    """Return the series with fewer than ``count`` points in ``nearest``, if the store may have more of them."""
    counted = nearest.group_by("series").agg(pl.len().alias("points"), pl.col("ts").min().alias("earliest"))
    joined = wanted.join(counted, on="series", how="left", maintain_order="left")
    has_more = pl.col("earliest").is_null() | (pl.col("earliest") > pl.col("first_ts")) if is_before else pl.lit(True)
    return joined.filter((pl.col("points").fill_null(0) < count) & has_more).select(list(_WANTED))


def _by_series(parts: Sequence[ArchivedPart]) -> dict[int, list[ArchivedPart]]:
    groups: dict[int, list[ArchivedPart]] = {}
    for part in parts:
        groups.setdefault(part.series_id, []).append(part)
    return groups


def _nearest_parts(parts: Sequence[ArchivedPart], bound: datetime, count: int, *, is_before: bool) -> Iterator[ArchivedPart]:
    """Yield the parts of one series that are nearest to its bound, until they have enough rows.

    Their rows include superseded versions and points on the other side of the bound, so one more part is read than would do.
    """
    month = date(bound.year, bound.month, 1)
    outside = [part for part in parts if (part.month <= month if is_before else part.month >= month)]
    rows = 0
    for part in reversed(outside) if is_before else outside:
        yield part
        if rows >= count:
            return
        rows += part.rows if part.month != month else 0


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema=NEIGHBOURS)
