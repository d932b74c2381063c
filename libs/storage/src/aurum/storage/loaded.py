"""Reads of the store as it stood at an instant, over the reader of today and the log of what to take back.

Rows are always read before the log: what commits between the two is in the log, and is taken back. A series that no later
recording touched is read like any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias

import polars as pl

from aurum.core.as_loaded import LaterRecordings, as_loaded
from aurum.core.asof import ALL_TIME, Span
from aurum.core.frames import CONFIRMATIONS, HISTORY, MANY_OBSERVATIONS, OBSERVATIONS, REVISIONS
from aurum.core.merge import History
from aurum.core.series.points import Points
from aurum.storage.ports.observations import SeriesReader
from aurum.storage.ports.recordings import UndoLog

_TICK = timedelta(microseconds=1)
_PointKey: TypeAlias = tuple[int, datetime]


class LoadedSeriesReaders:
    """``LoadedReaders`` over a reader of today, whether it reads archived months or not."""

    def __init__(self, reader: SeriesReader, log: UndoLog) -> None:
        self._reader = reader
        self._log = log

    async def latest(self) -> datetime:
        return await self._log.latest()

    async def as_loaded(self, instant: datetime) -> SeriesReader:
        await self._log.require(instant)
        return LoadedSeriesReader(self._reader, self._log, instant)


class LoadedSeriesReader:
    """``SeriesReader`` of the store as it stood at an instant that the log can take back to."""

    def __init__(self, reader: SeriesReader, log: UndoLog, instant: datetime) -> None:
        self._reader = reader
        self._log = log
        self._instant = instant

    async def observations(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        return (await self.points(series_id, span=span, as_of=as_of)).frame()

    async def points(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> Points:
        if (await self._later([series_id], span)).is_empty:
            points = await self._reader.points(series_id, span=span, as_of=as_of)
            if (await self._later([series_id], span)).is_empty:
                return points
        return Points.of((await self.many([series_id], span=span, as_of=as_of)).select(list(OBSERVATIONS)))

    async def many(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        batches = [batch async for batch in self.stream(series_ids, span=span, as_of=as_of)]
        return pl.concat(batches) if batches else pl.DataFrame(schema=MANY_OBSERVATIONS)

    async def stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        ended = pl.col("superseded_at") <= as_of if as_of is not None else pl.col("superseded_at").is_not_null()
        async with aclosing(self._states(series_ids, span, as_of)) as states:
            async for state in states:
                batch = state.changes.filter(~ended.fill_null(value=False)).select(list(MANY_OBSERVATIONS))
                if not batch.is_empty():
                    yield batch

    async def revisions(self, series_id: int, *, span: Span) -> pl.DataFrame:
        return (await self.versions([series_id], span=span)).select(list(REVISIONS))

    async def versions(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        batches = [batch async for batch in self.version_stream(series_ids, span=span, as_of=as_of)]
        return pl.concat(batches) if batches else pl.DataFrame(schema=HISTORY)

    async def version_stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        # All versions are read, because the last one known at as_of may be superseded after it.
        async with aclosing(self._states(series_ids, span, None)) as states:
            async for state in states:
                batch = state.changes if as_of is None else state.changes.filter(pl.col("known_at") <= as_of)
                if not batch.is_empty():
                    yield batch

    async def confirmations(self, series_ids: Sequence[int], *, span: Span, known: Span = ALL_TIME) -> pl.DataFrame:
        untouched = await self._reader.confirmations(series_ids, span=span, known=known)
        touched = _series_in(await self._later(series_ids, span))
        parts = [untouched.filter(~pl.col("series_id").is_in(touched))]
        if touched:
            async with aclosing(self._states(touched, span, None, rebuild=True)) as states:
                parts += [state.confirmations async for state in states]
        frame = pl.concat(parts).sort(list(CONFIRMATIONS))
        if known.start is not None:
            frame = frame.filter(pl.col("known_at") >= known.start)
        return frame if known.end is None else frame.filter(pl.col("known_at") < known.end)

    async def _states(
        self, series_ids: Sequence[int], span: Span, as_of: datetime | None, *, rebuild: bool = False
    ) -> AsyncGenerator[History]:
        """Yield the history of series in runs of whole points, with publications up to ``as_of`` only.

        Confirmations are complete for series that later recordings touched, missing for others. Each run is read for itself,
        and no connection is held while the caller works: the state at an instant is the same in every snapshot.
        """
        remaining: list[int] = sorted(set(series_ids))
        resume = span.start
        while remaining:
            is_resumed = resume != span.start
            ids = remaining[:1] if is_resumed else remaining
            part = Span(resume, span.end)
            versions, is_whole = await self._page(ids, part, as_of)
            if is_whole:
                yield await self._state(ids, versions, part, as_of, end=None, rebuild=rebuild)
                remaining, resume = remaining[len(ids) :], span.start
                continue
            end = int(versions["series_id"][-1]), versions["ts"][-1]
            ids = [one for one in ids if one <= end[0]]
            yield await self._state(ids, _before(versions, end), part, as_of, end=end, rebuild=rebuild)
            remaining, resume = [one for one in remaining if one >= end[0]], end[1]

    async def _page(self, ids: Sequence[int], span: Span, as_of: datetime | None) -> tuple[pl.DataFrame, bool]:
        """Return the first versions of some series, those of at least two points, and whether these are all."""
        parts: list[pl.DataFrame] = []
        batches = self._reader.version_stream(ids, span=span, as_of=as_of)
        async with aclosing(batches):  # pyright: ignore[reportArgumentType] - adapters return generators
            async for batch in batches:
                parts.append(batch.select(list(HISTORY)))
                if len(parts) > 1 and parts[0].row(0)[:2] != parts[-1].row(-1)[:2]:
                    return pl.concat(parts), False
        return pl.concat(parts) if parts else pl.DataFrame(schema=HISTORY), True

    async def _state(
        self,
        ids: Sequence[int],
        versions: pl.DataFrame,
        span: Span,
        as_of: datetime | None,
        *,
        end: _PointKey | None,
        rebuild: bool,
    ) -> History:
        """Return the history of the points of some series in a span before the point ``end``; ``versions``: those of today."""
        if end is not None and len(ids) == 1:
            span = Span(span.start, end[1])
        touched = list(ids) if rebuild else _series_in(await self._later(ids, span))
        if not touched:
            return History(versions, pl.DataFrame(schema=CONFIRMATIONS))
        known = Span(None, as_of + _TICK) if as_of is not None else ALL_TIME
        confirmations = _before(await self._reader.confirmations(touched, span=span, known=known), end)
        later = await self._later(touched, span)  # again, for it covers only what was read before
        undone = _before(later.undone, end)
        if as_of is not None:
            undone = undone.filter(pl.col("known_at") <= as_of)
        is_touched = pl.col("series_id").is_in(touched)
        stored = History(versions.filter(is_touched), confirmations)
        rebuilt = await asyncio.to_thread(as_loaded, stored, replace(later, undone=undone))
        changes = pl.concat([versions.filter(~is_touched), rebuilt.changes]).sort("series_id", "ts", "known_at")
        return History(changes, rebuilt.confirmations)

    async def _later(self, series_ids: Sequence[int], span: Span) -> LaterRecordings:
        return await self._log.later(series_ids, span=span, after=self._instant)


def _series_in(later: LaterRecordings) -> list[int]:
    ids = pl.concat([later.spans["series_id"], later.sole["series_id"], later.undone["series_id"]])
    return sorted(ids.unique().to_list())


def _before(frame: pl.DataFrame, end: _PointKey | None) -> pl.DataFrame:
    """Return the rows whose point (``series_id``, ``ts``) comes before ``end``; None: all rows."""
    if end is None:
        return frame
    return frame.filter((pl.col("series_id") < end[0]) | ((pl.col("series_id") == end[0]) & (pl.col("ts") < end[1])))
