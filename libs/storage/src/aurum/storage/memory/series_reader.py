"""Reads observations: the model of the law, asked for each point."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

import polars as pl

from aurum.core.asof import Span
from aurum.core.frames import MANY_OBSERVATIONS, OBSERVATIONS, REVISIONS
from aurum.core.series import Publication, answer, revisions
from aurum.core.series.points import Points
from aurum.storage.memory.state import MemoryState

Row: TypeAlias = tuple[datetime, float, int, datetime]

_BATCH_ROWS = 65_536


class MemorySeriesReader:
    """``SeriesReader`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def observations(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        return pl.DataFrame(list(self._answers(series_id, span, as_of)), schema=OBSERVATIONS, orient="row")

    async def points(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> Points:
        return Points.of(await self.observations(series_id, span=span, as_of=as_of))

    async def many(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        return self._many(series_ids, span, as_of)

    async def stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        for batch in self._many(series_ids, span, as_of).iter_slices(_BATCH_ROWS):
            if not batch.is_empty():
                yield batch

    async def revisions(self, series_id: int, *, span: Span) -> pl.DataFrame:
        points = self._points(series_id, span)
        rows = [_row(ts, change) for ts, said in points for change in revisions(said)]
        return pl.DataFrame(rows, schema=REVISIONS, orient="row")

    def _many(self, series_ids: Sequence[int], span: Span, as_of: datetime | None) -> pl.DataFrame:
        rows = [(series_id, *row) for series_id in sorted(set(series_ids)) for row in self._answers(series_id, span, as_of)]
        return pl.DataFrame(rows, schema=MANY_OBSERVATIONS, orient="row")

    def _answers(self, series_id: int, span: Span, as_of: datetime | None) -> Iterator[Row]:
        for ts, said in self._points(series_id, span):
            found = answer(said, as_of)
            if found is not None:
                yield _row(ts, found)

    def _points(self, series_id: int, span: Span) -> list[tuple[datetime, set[Publication]]]:
        points = self._state.points.get(series_id, {})
        return sorted(
            (
                (ts, said)
                for ts, said in points.items()
                if (span.start is None or ts >= span.start) and (span.end is None or ts < span.end)
            ),
            key=lambda point: point[0],
        )


def _row(ts: datetime, said: Publication) -> Row:
    return ts, said.value, said.quality, said.known_at
