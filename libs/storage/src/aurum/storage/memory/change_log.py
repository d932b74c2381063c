"""Reads of the list of changes in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import polars as pl

from aurum.storage.memory.state import MemoryState, StoredChange
from aurum.storage.ports.recordings import (
    MOST_MATCHED_KEYS,
    ChangeBounds,
    ChangedSeries,
    ChangeEntry,
    ChangeFilter,
    ChangePage,
    ChangePosition,
    SeriesMatch,
)
from aurum.storage.series_patterns import SeriesPatterns

_BEGIN = ChangePosition(0, datetime(1970, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class MemoryChangeLog:
    """``ChangeLog`` in memory."""

    state: MemoryState

    async def bounds(self, kept_since: datetime) -> ChangeBounds:
        expired = [one for one in self.state.changes if one.recording.recorded_at < kept_since]
        return ChangeBounds(_position(expired[-1]) if expired else _BEGIN, self._last())

    async def position(self, number: int) -> ChangePosition | None:
        if number == 0:
            return _BEGIN
        stored = self._at(number)
        return _position(stored) if stored is not None else None

    async def changes(self, after: ChangePosition, criteria: ChangeFilter, *, limit: int) -> ChangePage:
        last = self._last()
        entries = list(self._matching(after, criteria))
        if len(entries) > limit:
            return ChangePage(entries[:limit], entries[limit - 1].position, last)
        return ChangePage(entries, max(last, after, key=lambda one: one.number), last)

    async def entry(self, number: int) -> ChangeEntry | None:
        stored = self._at(number)
        return self._entry(stored) if stored is not None else None

    async def keys(self, entry: ChangeEntry) -> Sequence[str]:
        return self._keys(entry)

    def _keys(self, entry: ChangeEntry) -> Sequence[str]:
        change = entry.change
        names = {one.series_id: key for key, one in self.state.series.items()}
        if entry.file_id is not None:
            ids = (
                self.state.file_series[entry.file_id]["series_id"].to_list() if entry.file_id in self.state.file_series else []
            )
        else:
            ids = list(names)
        prefix = f"{change.source}:{change.dataset}:"
        return sorted(names[one] for one in ids if one in names and names[one].startswith(prefix))

    async def changed_series(self, entry: ChangeEntry, *, from_key: str, limit: int) -> Sequence[ChangedSeries]:
        if entry.file_id is None or entry.file_id not in self.state.file_series:
            return ()
        ids = {self.state.series[key].series_id: key for key in self._keys(entry)}
        touched = self.state.file_series[entry.file_id].filter(
            (pl.col("new") + pl.col("revised") > 0) & pl.col("series_id").is_in(list(ids))
        )
        columns = touched.select("series_id", "first_ts", "last_ts", "known_at")
        changed = [ChangedSeries(row[0], ids[row[0]], *row[1:]) for row in columns.iter_rows()]  # rows: one a series
        return sorted((one for one in changed if one.key >= from_key), key=lambda one: one.key)[:limit]

    def _last(self) -> ChangePosition:
        return _position(self.state.changes[-1]) if self.state.changes else _BEGIN

    def _at(self, number: int) -> StoredChange | None:
        return self.state.changes[number - 1] if 0 < number <= len(self.state.changes) else None

    def _matching(self, after: ChangePosition, criteria: ChangeFilter) -> Iterator[ChangeEntry]:
        patterns = SeriesPatterns(criteria.series)
        for stored in self.state.changes[after.number :]:
            change = stored.change
            if criteria.source not in (None, change.source) or criteria.dataset not in (None, change.dataset):
                continue
            entry = self._entry(stored)
            if not criteria.series:
                yield entry
            elif keys := [key for key in self._keys(entry) if patterns.matches(key)]:
                yield replace(entry, matched=SeriesMatch(len(keys), tuple(keys[:MOST_MATCHED_KEYS])))

    def _entry(self, stored: StoredChange) -> ChangeEntry:
        recording = stored.recording
        file = self.state.files[recording.file_id - 1] if recording.file_id is not None else None
        return ChangeEntry(
            position=_position(stored),
            action=recording.action,
            file_id=recording.file_id,
            file_name=file.name if file is not None else None,
            digest=file.digest if file is not None else None,
            change=stored.change,
        )


def _position(stored: StoredChange) -> ChangePosition:
    return ChangePosition(stored.position, stored.recording.recorded_at)
