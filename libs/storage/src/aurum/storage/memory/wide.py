"""Wide scans without a copy: rows come from history and are summed up in this process."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from aurum.core.asof import Span
from aurum.core.history import tally
from aurum.core.series.partials import buckets_in, partials
from aurum.storage.ports.history import ArchivedPart, HistoryStore
from aurum.storage.ports.wide import CopyBehind


class MemoryWideScans:
    """``WideScans`` over any history. All requested rows must fit in memory."""

    def __init__(self, history: HistoryStore) -> None:
        self._history = history

    async def partials(self, parts: Sequence[ArchivedPart], *, span: Span) -> pl.DataFrame:
        if missing := await self.missing(parts):
            raise CopyBehind(missing)
        return partials(await self._history.many(parts, span=buckets_in(span)))

    async def missing(self, parts: Sequence[ArchivedPart]) -> Sequence[ArchivedPart]:
        counted = tally(await self._history.rows(parts)).select("series_id", "month", "rows")
        there = {(series_id, month): rows for series_id, month, rows in counted.iter_rows()}
        short = [part for part in parts if there.get((part.series_id, part.month), 0) != part.rows]
        return sorted(short, key=lambda part: (part.series_id, part.month))
