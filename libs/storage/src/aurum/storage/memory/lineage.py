"""Reads of where a number came from, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from aurum.core.catalog.entries import FileEntry
from aurum.storage.memory.state import MemoryState, StoredRecording
from aurum.storage.ports.lineage import FileMention, QuoteRecords, RecordedQuote, Touch


@dataclass(frozen=True, slots=True)
class MemoryLineageReader:
    """``LineageReader`` in memory. ``state``: tables of the owner. ``shared``: those with the products of all."""

    state: MemoryState
    shared: MemoryState
    tenant: str | None = None

    async def mentions(
        self, series_id: int, ts: datetime, *, known_at: datetime, as_loaded: datetime | None = None, limit: int
    ) -> Sequence[FileMention]:
        around = (
            (pl.col("series_id") == series_id)
            & (pl.col("first_ts") <= ts)
            & (pl.col("last_ts") >= ts)
            & (pl.col("known_at") >= known_at)
        )
        is_new = pl.lit(ts).is_between("new_first_ts", "new_last_ts").alias("is_new")
        rows = [
            (file_id, row)
            for file_id, frame in self.state.file_series.items()
            for row in frame.filter(around).with_columns(is_new).rows(named=True)
        ]
        mentions = [
            FileMention(
                self.state.files[file_id - 1],
                self._recorded_at(file_id),
                row["known_at"],
                row["is_scheduled"],
                is_new=row["is_new"],
                is_sole=row["is_sole"],
            )
            for file_id, row in rows
        ]
        return _first(mentions, as_loaded, limit)

    async def touches(self, series_id: int, ts: datetime, *, as_loaded: datetime | None = None) -> Sequence[Touch]:
        recordings = {one.recording_id: one for one in self.state.recordings}
        rows = [
            (recordings[stored.recording_id], row)
            for stored in self.state.undone
            if stored.series_id == series_id
            for row in stored.publications.filter(pl.col("ts") == ts).rows(named=True)
        ]
        touches = [
            Touch(
                recording.recording_id,
                recording.recorded_at,
                recording.action,
                recording.file_id,
                row["is_added"],
                row["known_at"],
                None if row["is_added"] else row["value"],
            )
            for recording, row in rows
            if as_loaded is None or recording.recorded_at <= as_loaded
        ]
        return sorted(touches, key=lambda one: (one.recorded_at, one.is_added))

    async def quote_records(
        self,
        curve_id: int,
        trade_date: date,
        delivery: tuple[date, date],
        *,
        known_at: datetime,
        as_loaded: datetime | None = None,
        limit: int,
    ) -> QuoteRecords:
        recordings = {one.recording_id: one for one in self.state.recordings}
        publications = self.shared.quotes.get(curve_id, {}).get((*delivery, trade_date), {})
        quotes = [
            RecordedQuote(one.known_at, one.content, recorded.recorded_at, self._file_of(recorded))
            for one, recording_id in publications.items()
            if one.known_at == known_at
            and (recorded := recordings.get(recording_id)) is not None
            and (as_loaded is None or recorded.recorded_at <= as_loaded)
        ]
        around = (
            (pl.col("curve_id") == curve_id)
            & (pl.col("first_trade_date") <= trade_date)
            & (pl.col("last_trade_date") >= trade_date)
            & (pl.col("known_at") >= known_at)
        )
        mentions = [
            FileMention(self.state.files[file_id - 1], self._recorded_at(file_id), row["known_at"], row["is_scheduled"])
            for (tenant, file_id), frame in self.shared.file_curves.items()
            if tenant == self.tenant
            for row in frame.filter(around).rows(named=True)
        ]
        return QuoteRecords(sorted(quotes, key=lambda one: one.recorded_at), _first(mentions, as_loaded, limit))

    def _recorded_at(self, file_id: int) -> datetime | None:
        return next((one.recorded_at for one in self.state.recordings if one.file_id == file_id), None)

    def _file_of(self, recording: StoredRecording) -> FileEntry | None:
        return None if recording.file_id is None else self.state.files[recording.file_id - 1]


def _first(mentions: Sequence[FileMention], as_loaded: datetime | None, limit: int) -> Sequence[FileMention]:
    recorded = [one for one in mentions if as_loaded is None or (one.recorded_at is not None and one.recorded_at <= as_loaded)]
    return sorted(recorded, key=lambda one: (not one.is_new, one.known_at, one.file.file_id))[:limit]
