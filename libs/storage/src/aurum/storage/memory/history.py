"""Archived months in memory, as frames by source and archive id."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

import polars as pl

from aurum.common.resilience.guards import Guards
from aurum.core.asof import Span
from aurum.core.curves.quote_archive import ORDER, RECORDED_QUOTES
from aurum.core.errors import Unavailable
from aurum.core.frames import HISTORY, MANY_OBSERVATIONS, conform
from aurum.core.history import month_of
from aurum.storage.ports.history import ArchivedPart, Merge, Upkeep, unreported
from aurum.storage.ports.quote_history import ArchivedQuotes

_BATCH_ROWS = 1024  # a border of batches needs few rows

FrameKey: TypeAlias = tuple[str, int]


class MemoryHistory:
    """``HistoryStore`` in memory."""

    def __init__(self) -> None:
        self._frames: dict[FrameKey, pl.DataFrame] = {}
        self._quotes = MemoryQuotes()

    @property
    def guards(self) -> Guards:
        return Guards()

    @property
    def quotes(self) -> MemoryQuotes:
        return self._quotes

    async def look(self) -> None:
        pass

    async def write(self, rows: pl.DataFrame, *, source: str, archive_id: int) -> None:
        if rows.is_empty():
            raise ValueError("rows must not be empty")
        self._frames[source, archive_id] = conform(rows, HISTORY)

    async def rows(self, parts: Sequence[ArchivedPart], *, span: Span | None = None) -> pl.DataFrame:
        rows = pl.concat([pl.DataFrame(schema=HISTORY), *self._part_rows(parts)])
        return rows.filter(_within(span or Span())).sort("series_id", "ts", "known_at")

    async def many(self, parts: Sequence[ArchivedPart], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        rows = await self.rows(parts, span=span)
        return rows.filter(_is_in_force(as_of)).select(list(MANY_OBSERVATIONS))

    async def stream(
        self, parts: Sequence[ArchivedPart], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        for batch in (await self.many(parts, span=span, as_of=as_of)).iter_slices(_BATCH_ROWS):
            if not batch.is_empty():
                yield batch

    async def discard(self, archive_ids: Collection[int]) -> None:
        self._frames = {key: rows for key, rows in self._frames.items() if key[1] not in archive_ids}

    async def erase(self, series_ids: Collection[int], *, archive_ids: Collection[int]) -> int:
        before = sum(rows.height for rows in self._frames.values())
        others = ~pl.col("series_id").is_in(list(series_ids))
        self._frames = {key: rows.filter(others) if key[1] in archive_ids else rows for key, rows in self._frames.items()}
        return before - sum(rows.height for rows in self._frames.values())

    async def archive_ids(self) -> frozenset[int]:
        return frozenset(archive_id for (_, archive_id), rows in self._frames.items() if not rows.is_empty())

    async def merges(self) -> Sequence[Merge]:
        return ()

    async def upkeep(self, *, merged: Callable[[Merge], None] = unreported) -> Upkeep:  # noqa: ARG002 - nothing to merge
        return Upkeep(len(self._frames), len(self._frames), 0)

    async def close(self) -> None:
        pass

    def _part_rows(self, parts: Sequence[ArchivedPart]) -> Iterator[pl.DataFrame]:
        for part in parts:
            rows = self._frames.get((part.source, part.archive_id))
            if rows is not None:
                yield rows.filter(pl.col("series_id") == part.series_id, month_of(pl.col("ts")) == part.month)


class MemoryQuotes:
    """``QuoteHistory`` in memory."""

    def __init__(self) -> None:
        self._frames: dict[int, pl.DataFrame] = {}

    async def write(self, rows: pl.DataFrame, *, archive_id: int) -> None:
        if rows.is_empty():
            raise ValueError("rows must not be empty")
        self._frames[archive_id] = conform(rows, RECORDED_QUOTES)

    async def publications(self, parts: Sequence[ArchivedQuotes]) -> pl.DataFrame:
        of_part = pl.DataFrame(schema=RECORDED_QUOTES)
        for part in parts:
            if part.archive_id not in self._frames:
                raise Unavailable(f"history has no quotes under archive id {part.archive_id}")
            month = pl.col("trade_date").dt.truncate("1mo")
            of_part.extend(self._frames[part.archive_id].filter(pl.col("curve_id") == part.curve_id, month == part.month))
        return of_part.sort(ORDER)

    async def discard(self, archive_ids: Collection[int]) -> None:
        self._frames = {archive_id: rows for archive_id, rows in self._frames.items() if archive_id not in archive_ids}

    async def archive_ids(self) -> frozenset[int]:
        return frozenset(self._frames)


def _within(span: Span) -> pl.Expr:
    after = pl.lit(True) if span.start is None else pl.col("ts") >= span.start
    return after if span.end is None else after & (pl.col("ts") < span.end)


def _is_in_force(as_of: datetime | None) -> pl.Expr:
    if as_of is None:
        return pl.col("superseded_at").is_null()
    return (pl.col("known_at") <= as_of) & (pl.col("superseded_at").is_null() | (pl.col("superseded_at") > as_of))
