"""Restatements in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

import polars as pl

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.clock import Clock
from aurum.core.frames import PUBLICATIONS, UTC_US
from aurum.core.series.revise import Publication
from aurum.storage.memory.recordings import MemoryRecordingWriter
from aurum.storage.memory.state import MemoryState, Points, StoredIssue
from aurum.storage.ports.restatement import Restated

_MOMENTS = pl.Schema(
    {"series_id": pl.Int32(), "known_at": UTC_US, "file_id": pl.Int64(), "first_ts": UTC_US, "last_ts": UTC_US}
)

_KEY = ["series_id", "ts", "known_at"]


@dataclass(frozen=True, slots=True)
class MemoryRestater:
    """``Restater`` in memory."""

    state: MemoryState
    clock: Clock

    async def moments(self, series_ids: Sequence[int]) -> pl.DataFrame:
        wanted = set(series_ids)
        rows = [
            (series_id, file.known_at, file.file_id, first, last)
            for file in self.state.files
            if file.known_at is not None
            and file.known_at_basis is KnownAtBasis.INGESTED
            and file.file_id in self.state.file_series
            for series_id, first, last in self.state.file_series[file.file_id].select("series_id", "first_ts", "last_ts").rows()
            if series_id in wanted
        ]
        return pl.DataFrame(rows, schema=_MOMENTS, orient="row")

    async def restate(self, moves: pl.DataFrame, *, recording_id: int) -> Restated:
        points, changed = 0, list[int]()
        for series_id, of_series in groupby(moves.sort("series_id", "ts").rows(), key=lambda row: row[0]):
            before = self._publications(series_id)
            moved = self._move(series_id, [row[1:] for row in of_series])
            if moved:
                points += moved
                changed.append(series_id)
                after = self._publications(series_id)
                added = after.join(before, on=_KEY, how="anti").select(_KEY)
                removed = before.join(after, on=list(PUBLICATIONS), how="anti", nulls_equal=True)
                await MemoryRecordingWriter(self.state, self.clock).record_undo(recording_id, added=added, removed=removed)
        for key, series in self.state.series.items():
            if series.series_id in changed:
                self.state.series[key] = replace(series, version=series.version + 1, updated_at=self.clock.now())
        return Restated(points, tuple(changed))

    async def restate_issues(self, source: str, dataset: str, moves: pl.DataFrame) -> None:
        for row in moves.iter_rows(named=True):  # rows: one an issue
            old = [one for one in self.state.issues if self._is(one, source, dataset, row["known_at"], row["file_id"])]
            moved = [one for one in self.state.issues if self._is(one, source, dataset, row["restated_at"], row["file_id"])]
            if not old:
                continue
            first, last = row["first_ts"], row["last_ts"]
            for one in moved:
                first, last = min(first, one.issue.first_ts), max(last, one.issue.last_ts)
            issue = replace(
                old[0].issue,
                known_at=row["restated_at"],
                basis=KnownAtBasis.SCHEDULED,
                scheduled_at=row["restated_at"],
                first_ts=first,
                last_ts=last,
            )
            self.state.issues = [one for one in self.state.issues if one not in moved]
            self.state.issues.append(StoredIssue(old[0].file_id, issue))

    async def drop_issues(self, source: str, dataset: str, issues: Sequence[tuple[datetime, int]]) -> None:
        for known_at, file_id in issues:
            is_moved = any(
                one.file_id == file_id and one.issue.basis is KnownAtBasis.SCHEDULED and one.issue.known_at < known_at
                for one in self.state.issues
            )
            if is_moved:
                self.state.issues = [one for one in self.state.issues if not self._is(one, source, dataset, known_at, file_id)]

    def _publications(self, series_id: int) -> pl.DataFrame:
        """Return the publications of a series in force at their known times, schema ``PUBLICATIONS``."""
        rows = [
            (series_id, ts, one.value, one.quality, one.known_at)
            for ts, publications in self.state.points.get(series_id, {}).items()
            for one in publications
        ]
        frame = pl.DataFrame(rows, schema=PUBLICATIONS, orient="row")
        return frame.sort(*_KEY, "value", "quality").unique(_KEY, keep="last")

    @staticmethod
    def _is(stored: StoredIssue, source: str, dataset: str, known_at: datetime, file_id: int) -> bool:
        issue = stored.issue
        return (issue.source, issue.dataset, issue.known_at, stored.file_id) == (source, dataset, known_at, file_id)

    def _move(self, series_id: int, moves: Sequence[tuple[datetime, datetime, datetime]]) -> int:
        """Move publications of one series, each given by its interval, its known time and its new known time."""
        points = Points(self.state.points.get(series_id, {}))
        moved = 0
        for ts, known_at, restated_at in moves:
            publications = points.get(ts, frozenset[Publication]())
            at = {publication for publication in publications if publication.known_at == known_at}
            if at:
                new = {Publication(restated_at, publication.value, publication.quality) for publication in at}
                points[ts] = (publications - at) | new
                moved += 1
        self.state.points[series_id] = points
        return moved
