"""Wide scans without a copy: rows come from history and are summed up in this process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from aurum.core.asof import Span
from aurum.core.history import tally
from aurum.core.wide import check_bucket, partials
from aurum.storage.ports.history import ArchivedPart, HistoryStore
from aurum.storage.ports.wide import CopyBehind


class MemoryWideScans:
    """``WideScans`` over any history. All rows asked for must fit in memory."""

    def __init__(self, history: HistoryStore) -> None:
        self._history = history

    async def partials(
        self, parts: Sequence[ArchivedPart], *, span: Span, every: timedelta | None = None, as_of: datetime | None = None
    ) -> pl.DataFrame:
        check_bucket(every)
        if missing := await self.missing(parts):
            raise CopyBehind(missing)
        return partials(await self._history.many(parts, span=span, as_of=as_of), every=every)

    async def missing(self, parts: Sequence[ArchivedPart]) -> Sequence[ArchivedPart]:
        counted = tally(await self._history.rows(parts)).select("series_id", "month", "rows")
        there = {(series_id, month): rows for series_id, month, rows in counted.iter_rows()}
        short = [part for part in parts if there.get((part.series_id, part.month), 0) != part.rows]
        return sorted(short, key=lambda part: (part.series_id, part.month))
