"""Removal of series in memory."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from aurum.core.currency import rated_currency
from aurum.core.series.revise import revisions
from aurum.storage.memory.state import MemoryState, Points
from aurum.storage.ports.removal import Referrer, RemovedRows, StoredSeries

_NAMES = 5


class MemorySeriesRemover:
    """``SeriesRemover`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def lock(self, key: str) -> StoredSeries | None:
        series = self._state.series.get(key)
        if series is None:
            return None
        return StoredSeries(series.series_id, key, series.key.source, series.spec.currency)

    async def referrers(self, series: StoredSeries) -> Sequence[Referrer]:
        currency = rated_currency(series.key)
        if currency is None:
            return ()
        rates = series.key.split(":")[:2]
        keys = sorted(
            key
            for key, one in self._state.series.items()
            if one.spec.currency == currency and [one.key.source, one.key.dataset] != rates
        )
        return (Referrer(f"conversion of series in {currency}", len(keys), tuple(keys[:_NAMES])),) if keys else ()

    async def remove(self, series: StoredSeries) -> RemovedRows:
        state = self._state
        points = state.points.pop(series.series_id, Points())
        changes = [len(revisions(publications)) for publications in points.values()]
        days = [day for day in state.completeness if day[0] == series.key]
        for day in days:
            del state.completeness[day]
        of_series = pl.col("series_id") == series.series_id
        files = [file_id for file_id, frame in state.file_series.items() if not frame.filter(of_series).is_empty()]
        for file_id in files:
            state.file_series[file_id] = state.file_series[file_id].filter(~of_series)
        state.undone = [one for one in state.undone if one.series_id != series.series_id]
        del state.series[series.key]
        return RemovedRows(points=len(points), versions=sum(changes) - len(points), days=len(days), files=len(files))
