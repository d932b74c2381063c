"""Readers over the hot store and history: archived parts of a span come from history, all other rows from the hot store.

A part is hot or archived, never both in one snapshot, so the two sides have no point in common. Months that were restored for
a correction are hot between archived ones, so hot and archived rows may alternate in the ordered answer.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import datetime

import polars as pl
import structlog

from aurum.core.asof import ALL_TIME, Span
from aurum.core.chunks import chunks
from aurum.core.errors import Unavailable
from aurum.core.frames import HISTORY, MANY_OBSERVATIONS, OBSERVATIONS, REVISIONS
from aurum.core.series.partials import buckets_in, partials
from aurum.core.series.points import Points
from aurum.storage.ports.history import ArchivedPart, HistoryStore, HotPartialsReader, HotReader
from aurum.storage.ports.observations import PartialsReader
from aurum.storage.ports.wide import WideScans

_ORDER = ["series_id", "ts"]
_VERSIONS_AT_ONCE = 65_536
_log = structlog.get_logger(__name__)


class TieredSeriesReader:
    """``SeriesReader`` over both stores. A span without archived parts costs the same as with the hot reader alone."""

    def __init__(self, hot: HotReader, history: HistoryStore) -> None:
        self._hot = hot
        self._history = history

    async def observations(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        return (await self.points(series_id, span=span, as_of=as_of)).frame()

    async def points(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> Points:
        hot = await self._hot.hot_points(series_id, span=span, as_of=as_of)
        if not hot.parts:
            return hot.points
        cold = (await self._history.many(hot.parts, span=span, as_of=as_of)).select(list(OBSERVATIONS))
        if hot.points.ts.size == 0:
            return Points.of(cold)
        return Points.of(pl.concat([cold, hot.points.frame()]).sort("ts"))

    async def many(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        batches = [batch async for batch in self.stream(series_ids, span=span, as_of=as_of)]
        return pl.concat(batches) if batches else pl.DataFrame(schema=MANY_OBSERVATIONS)

    async def stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        async with self._hot.hot_stream(series_ids, span=span, as_of=as_of) as hot:
            if not hot.parts:
                async for batch in hot.batches:
                    yield batch
                return
            cold = self._history.stream(hot.parts, span=span, as_of=as_of)
            try:
                async for batch in _merge(hot.batches, cold):
                    yield batch
            finally:
                # A caller that stops early must leave no query running in history.
                if isinstance(cold, AsyncGenerator):
                    await cold.aclose()

    async def revisions(self, series_id: int, *, span: Span) -> pl.DataFrame:
        hot = await self._hot.hot_revisions(series_id, span=span)
        if not hot.parts:
            return hot.rows
        cold = (await self._history.rows(hot.parts, span=span)).select(list(REVISIONS))
        return pl.concat([cold, hot.rows]).sort("ts", "known_at")

    async def versions(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        batches = [batch async for batch in self.version_stream(series_ids, span=span, as_of=as_of)]
        return pl.concat(batches) if batches else pl.DataFrame(schema=HISTORY)

    async def version_stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        async with self._hot.hot_version_stream(series_ids, span=span, as_of=as_of) as hot:
            if not hot.parts:
                async for batch in hot.batches:
                    yield batch
                return
            async with aclosing(_archived_versions(self._history, hot.parts, span, as_of)) as cold:
                async for batch in _merge(hot.batches, cold):
                    yield batch

    async def confirmations(self, series_ids: Sequence[int], *, span: Span, known: Span = ALL_TIME) -> pl.DataFrame:
        return await self._hot.confirmations(series_ids, span=span, known=known)


class TieredPartialsReader:
    """``PartialsReader`` over both: hours of the hot store, and rows of history added up in this process."""

    def __init__(self, hot: HotPartialsReader, history: HistoryStore) -> None:
        self._hot = hot
        self._history = history

    @property
    def has_sums(self) -> bool:
        return self._hot.has_sums

    async def partials(self, series_ids: Sequence[int], *, span: Span) -> pl.DataFrame:
        hot = await self._hot.hot_partials(series_ids, span=span)
        if not hot.parts:
            return hot.frame
        cold = partials(await self._history.many(hot.parts, span=buckets_in(span)))
        return pl.concat([cold, hot.frame]).sort(_ORDER)


class ScanningPartialsReader:
    """``PartialsReader`` for wide scans: hours of the hot store, and archived ones from a copy of history that adds them up.

    ``without_copy`` answers where the copy does not. Sums of the copy are not added in the order of time: their last bits may
    differ.
    """

    def __init__(self, hot: HotPartialsReader, scans: WideScans, *, without_copy: PartialsReader) -> None:
        self._hot = hot
        self._scans = scans
        self._without_copy = without_copy

    @property
    def has_sums(self) -> bool:
        return self._hot.has_sums

    async def partials(self, series_ids: Sequence[int], *, span: Span) -> pl.DataFrame:
        hot = await self._hot.hot_partials(series_ids, span=span)
        if not hot.parts:
            return hot.frame
        try:
            cold = await self._scans.partials(hot.parts, span=span)
        except Unavailable as error:
            _log.warning("wide scan without the copy", reason=error.detail)
            return await self._without_copy.partials(series_ids, span=span)
        return pl.concat([cold, hot.frame]).sort(_ORDER)


async def _archived_versions(
    history: HistoryStore, parts: Sequence[ArchivedPart], span: Span, as_of: datetime | None
) -> AsyncGenerator[pl.DataFrame]:
    """Yield the versions in archived parts that were known at ``as_of``, schema ``HISTORY``, in batches of some parts each."""
    for group in chunks(parts, size=lambda part: part.rows, most=_VERSIONS_AT_ONCE):
        rows = await history.rows(group, span=span)
        if as_of is not None:
            rows = rows.filter(pl.col("known_at") <= as_of)
        if not rows.is_empty():
            yield rows


async def _merge(first: AsyncIterator[pl.DataFrame], second: AsyncIterator[pl.DataFrame]) -> AsyncGenerator[pl.DataFrame]:
    """Merge two ascending streams into one ascending stream; at most one batch of each is in memory."""
    left, right = await _next(first), await _next(second)
    while left is not None and right is not None:
        # No later batch can hold a row up to the end of the batch that ends first.
        border = min(_last(left), _last(right))
        left_now, left = _split(left, border)
        right_now, right = _split(right, border)
        yield (
            # Stable, for the versions of a point: a point is on one side only.
            pl.concat([left_now, right_now]).sort(_ORDER, maintain_order=True)
            if left_now.height and right_now.height
            else left_now.vstack(right_now)
        )
        left = left if left.height else await _next(first)
        right = right if right.height else await _next(second)
    for batch, rest in ((left, first), (right, second)):
        while batch is not None:
            yield batch
            batch = await _next(rest)


async def _next(batches: AsyncIterator[pl.DataFrame]) -> pl.DataFrame | None:
    return await anext(batches, None)


def _last(batch: pl.DataFrame) -> tuple[int, datetime]:
    return batch["series_id"][-1], batch["ts"][-1]


def _split(batch: pl.DataFrame, border: tuple[int, datetime]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows up to and including the border, and the rows after it."""
    series_id, ts = border
    before = (pl.col("series_id") < series_id) | ((pl.col("series_id") == series_id) & (pl.col("ts") <= ts))
    count = batch.select(before.sum()).item()
    return batch.head(count), batch.slice(count)
