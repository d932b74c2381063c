"""Reads of observations on PostgreSQL: slices, many series, as of an instant, revisions, streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime

import polars as pl

from aurum.core.asof import ALL_TIME, Span
from aurum.core.clock import Clock
from aurum.core.frames import HISTORY
from aurum.core.series.points import Points
from aurum.storage.ports.history import ArchivedPart, HotPoints, HotRevisions, HotStream, refuse_archived_parts
from aurum.storage.postgres.connection.columns import packed, unpacked, unpacked_arrays
from aurum.storage.postgres.connection.pool import Connection, ReadPool
from aurum.storage.postgres.history.parts import BESIDE_SLICE, PARTS_OF_MANY, parts_beside, parts_of
from aurum.storage.postgres.observations.watermark import is_long_past, wait_until_settled

_ONE: Mapping[str, str] = {"ts": "timestamptz", "value": "float8", "quality": "int2", "known_at": "timestamptz"}
_MANY: Mapping[str, str] = {"series_id": "int4", **_ONE}
_CONFIRMED: Mapping[str, str] = {"series_id": "int4", "ts": "timestamptz", "known_at": "timestamptz"}
_HISTORY: Mapping[str, str] = {**_CONFIRMED, "superseded_at": "timestamptz", "value": "float8", "quality": "int2"}

_BATCH_ROWS = 65_536
_SETTLE_TIMEOUT_S = 5.0

# Outside the data of every market, and inside the range of PostgreSQL and of Python's datetime.
_FIRST = datetime(1, 1, 2, tzinfo=UTC)
_LAST = datetime(9999, 12, 30, tzinfo=UTC)

_SLICE = packed(
    _ONE,
    "SELECT ts, value, quality, known_at FROM observation WHERE series_id = $1 AND ts >= $2 AND ts < $3 ORDER BY ts",
    beside=BESIDE_SLICE,
)
_SLICE_AS_OF = packed(
    _ONE,
    """
    SELECT ts, value, quality, known_at FROM observation
    WHERE series_id = $1 AND ts >= $2 AND ts < $3 AND known_at <= $4
    UNION ALL
    SELECT ts, value, quality, known_at FROM observation_version
    WHERE series_id = $1 AND ts >= $2 AND ts < $3 AND known_at <= $4 AND superseded_at > $4
    ORDER BY ts
    """,
    beside=BESIDE_SLICE,
)
_REVISIONS = packed(
    _ONE,
    """
    SELECT ts, value, quality, known_at FROM observation WHERE series_id = $1 AND ts >= $2 AND ts < $3
    UNION ALL
    SELECT ts, value, quality, known_at FROM observation_version WHERE series_id = $1 AND ts >= $2 AND ts < $3
    ORDER BY ts, known_at
    """,
    beside=BESIDE_SLICE,
)
# One index range for each series and batch. A join with the list would sort all rows before the first one.
_BATCH = packed(
    _MANY,
    """
    SELECT o.series_id, o.ts, o.value, o.quality, o.known_at FROM observation AS o
    WHERE o.series_id = ANY($1) AND o.ts >= $2 AND o.ts < $3 AND (o.series_id, o.ts) > ($4, $5)
    ORDER BY o.series_id, o.ts LIMIT $6
    """,
)
_BATCH_AS_OF = packed(
    _MANY,
    """
    (SELECT series_id, ts, value, quality, known_at FROM observation
     WHERE series_id = ANY($1) AND ts >= $2 AND ts < $3 AND (series_id, ts) > ($4, $5) AND known_at <= $7
     ORDER BY series_id, ts LIMIT $6)
    UNION ALL
    (SELECT series_id, ts, value, quality, known_at FROM observation_version
     WHERE series_id = ANY($1) AND ts >= $2 AND ts < $3 AND (series_id, ts) > ($4, $5)
       AND known_at <= $7 AND superseded_at > $7
     ORDER BY series_id, ts LIMIT $6)
    ORDER BY series_id, ts LIMIT $6
    """,
)
# Of the current value, ``superseded_at`` is its own known time, which no superseded version has: packed columns hold no null.
_VERSIONS = packed(
    _HISTORY,
    """
    (SELECT series_id, ts, known_at, known_at AS superseded_at, value, quality FROM observation
     WHERE series_id = ANY($1) AND ts >= $2 AND ts < $3 AND (series_id, ts) >= ($4, $5)
       AND (series_id, ts, known_at) > ($4, $5, $6) AND known_at <= $8
     ORDER BY series_id, ts LIMIT $7)
    UNION ALL
    (SELECT series_id, ts, known_at, superseded_at, value, quality FROM observation_version
     WHERE series_id = ANY($1) AND ts >= $2 AND ts < $3 AND (series_id, ts, known_at) > ($4, $5, $6) AND known_at <= $8
     ORDER BY series_id, ts, known_at LIMIT $7)
    ORDER BY series_id, ts, known_at LIMIT $7
    """,
)
_CONFIRMATIONS = packed(
    _CONFIRMED,
    """
    SELECT c.series_id, point AS ts, c.known_at FROM observation_confirmation AS c, unnest(c.ts) AS point
    WHERE c.series_id = ANY($1) AND c.known_at >= $4 AND c.known_at < $5 AND point >= $2 AND point < $3
    ORDER BY c.series_id, point, c.known_at
    """,
)


class PostgresSeriesReader:
    """``HotReader`` on PostgreSQL, and ``SeriesReader`` for stores without archived months.

    As a ``SeriesReader`` it raises ``HistoryNotConfigured`` rather than return an incomplete answer. Where months are archived,
    ``storage.tiered`` reads through it.
    """

    def __init__(self, pool: ReadPool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def observations(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        return (await self.points(series_id, span=span, as_of=as_of)).frame()

    async def points(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> Points:
        hot = await self.hot_points(series_id, span=span, as_of=as_of)
        refuse_archived_parts(hot.parts)
        return hot.points

    async def many(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        batches = [batch async for batch in self.stream(series_ids, span=span, as_of=as_of)]
        return pl.concat(batches) if batches else unpacked(_MANY, None)

    async def stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        async with self.hot_stream(series_ids, span=span, as_of=as_of) as hot:
            refuse_archived_parts(hot.parts)
            async for batch in hot.batches:
                yield batch

    async def revisions(self, series_id: int, *, span: Span) -> pl.DataFrame:
        hot = await self.hot_revisions(series_id, span=span)
        refuse_archived_parts(hot.parts)
        return hot.rows

    async def versions(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        batches = [batch async for batch in self.version_stream(series_ids, span=span, as_of=as_of)]
        return pl.concat(batches) if batches else pl.DataFrame(schema=HISTORY)

    async def version_stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        async with self.hot_version_stream(series_ids, span=span, as_of=as_of) as hot:
            refuse_archived_parts(hot.parts)
            async for batch in hot.batches:
                yield batch

    async def confirmations(self, series_ids: Sequence[int], *, span: Span, known: Span = ALL_TIME) -> pl.DataFrame:
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(_CONFIRMATIONS, sorted(set(series_ids)), *bounds(span), *bounds(known))
        return unpacked(_CONFIRMED, row)

    async def hot_points(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> HotPoints:
        start, end = bounds(span)
        if as_of is None:
            row = await self._pool.reads.fetchrow(_SLICE, series_id, start, end)
        else:
            if not is_long_past(as_of, now=self._clock.now(), horizon_s=self._pool.settings.load_timeout_s):
                async with self._pool.acquire() as connection:
                    await self._settle(connection, as_of)
            row = await self._pool.reads.fetchrow(_SLICE_AS_OF, series_id, start, end, _clamped(as_of))
        return HotPoints(Points(**unpacked_arrays(_ONE, row)), parts_beside(row))

    async def hot_revisions(self, series_id: int, *, span: Span) -> HotRevisions:
        start, end = bounds(span)
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(_REVISIONS, series_id, start, end)
        return HotRevisions(unpacked(_ONE, row), parts_beside(row))

    @asynccontextmanager
    async def hot_stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AsyncGenerator[HotStream]:
        start, end = bounds(span)
        ids = sorted(set(series_ids))
        async with (
            self._snapshot(ids, start, end, as_of) as (connection, parts),
            aclosing(self._batches(connection, ids, start, end, as_of)) as batches,
        ):
            yield HotStream(batches, parts)

    @asynccontextmanager
    async def hot_version_stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AsyncGenerator[HotStream]:
        start, end = bounds(span)
        ids = sorted(set(series_ids))
        async with (
            self._snapshot(ids, start, end, as_of) as (connection, parts),
            aclosing(_version_batches(connection, ids, start, end, as_of)) as batches,
        ):
            yield HotStream(batches, parts)

    @asynccontextmanager
    async def _snapshot(
        self, ids: Sequence[int], start: datetime, end: datetime, as_of: datetime | None
    ) -> AsyncGenerator[tuple[Connection, Sequence[ArchivedPart]]]:
        """Hold a connection with one snapshot, which has every load that began before ``as_of``; also yield archived parts."""
        async with self._pool.acquire(outlasts_deadline=True) as connection:
            if as_of is not None:
                await self._settle(connection, as_of)
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                yield connection, parts_of(await connection.fetch(PARTS_OF_MANY, ids, start, end))

    async def _batches(
        self, connection: Connection, ids: Sequence[int], start: datetime, end: datetime, as_of: datetime | None
    ) -> AsyncGenerator[pl.DataFrame]:
        fetching = asyncio.ensure_future(self._batch(connection, ids, start, end, (-1, start), as_of))
        try:
            while not (batch := await fetching).is_empty():
                last = (int(batch["series_id"][-1]), batch["ts"][-1])
                fetching = asyncio.ensure_future(self._batch(connection, ids, start, end, last, as_of))
                # One turn of the event loop sends the query, so that PostgreSQL works while the caller encodes.
                await asyncio.sleep(0)
                yield batch
        finally:
            await _cancel(fetching)

    async def _batch(
        self,
        connection: Connection,
        ids: Sequence[int],
        start: datetime,
        end: datetime,
        after: tuple[int, datetime],
        as_of: datetime | None,
    ) -> pl.DataFrame:
        remaining = [series_id for series_id in ids if series_id >= after[0]]
        arguments = [remaining, start, end, *after, _BATCH_ROWS]
        if as_of is None:
            return unpacked(_MANY, await connection.fetchrow(_BATCH, *arguments))
        return unpacked(_MANY, await connection.fetchrow(_BATCH_AS_OF, *arguments, _clamped(as_of)))

    async def _settle(self, connection: Connection, as_of: datetime) -> None:
        await wait_until_settled(
            connection,
            as_of,
            now=self._clock.now(),
            horizon_s=self._pool.settings.load_timeout_s,
            timeout_s=_SETTLE_TIMEOUT_S,
        )


def bounds(span: Span) -> tuple[datetime, datetime]:
    """Return both ends of a span, within the range of PostgreSQL and Python."""
    return _clamped(span.start or _FIRST), _clamped(span.end or _LAST)


def _clamped(instant: datetime) -> datetime:
    return min(max(instant, _FIRST), _LAST)


async def _version_batches(
    connection: Connection, ids: Sequence[int], start: datetime, end: datetime, as_of: datetime | None
) -> AsyncGenerator[pl.DataFrame]:
    after = (-1, start, _FIRST)
    latest = _LAST if as_of is None else _clamped(as_of)
    while True:
        remaining = [series_id for series_id in ids if series_id >= after[0]]
        row = await connection.fetchrow(_VERSIONS, remaining, start, end, *after, _BATCH_ROWS, latest)
        batch = unpacked(_HISTORY, row)
        if batch.is_empty():
            return
        after = (int(batch["series_id"][-1]), batch["ts"][-1], batch["known_at"][-1])
        is_current = pl.col("superseded_at") == pl.col("known_at")
        yield batch.with_columns(pl.when(~is_current).then("superseded_at").alias("superseded_at"))
        if batch.height < _BATCH_ROWS:
            return


async def _cancel(fetching: asyncio.Future[pl.DataFrame]) -> None:
    """Cancel a fetch, and return when its connection is idle."""
    fetching.cancel()
    await asyncio.wait([fetching])
