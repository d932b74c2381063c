"""Recordings in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from aurum.core.as_loaded import UNDONE, LaterRecordings
from aurum.core.asof import Span
from aurum.core.clock import Clock
from aurum.core.frames import FILE_SERIES
from aurum.storage.memory.state import MemoryState, StoredChange, StoredIssue, StoredRecording, StoredUndone
from aurum.storage.ports.recordings import DatasetChange, NewIssue, RecordingAction, check_recorded
from aurum.storage.undo import undone

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class MemoryRecordingWriter:
    """``RecordingWriter`` in memory, where transactions run one after the other."""

    state: MemoryState
    clock: Clock

    async def begin(self) -> int:
        self.state.last_recording_id += 1
        return self.state.last_recording_id

    async def issues_at(self, source: str, dataset: str, scheduled_at: datetime) -> Sequence[datetime]:
        issues = (one.issue for one in self.state.issues)
        return sorted(
            {one.known_at for one in issues if (one.source, one.dataset, one.scheduled_at) == (source, dataset, scheduled_at)}
        )

    async def record_issues(self, file_id: int, issues: Sequence[NewIssue]) -> None:
        self.state.issues += [StoredIssue(file_id, issue) for issue in issues]

    async def record_undo(self, recording_id: int, *, added: pl.DataFrame, removed: pl.DataFrame) -> None:
        record_undone(self.state, recording_id, undone(added, removed))

    async def seal(
        self, recording_id: int, action: RecordingAction, changes: Sequence[DatasetChange], *, file_id: int | None = None
    ) -> None:
        now = self.clock.now()
        recorded_at = max(now, self.state.recordings[-1].recorded_at + _TICK) if self.state.recordings else now
        recording = StoredRecording(recording_id, recorded_at, action, file_id)
        self.state.recordings.append(recording)
        position = len(self.state.changes)
        self.state.changes += [
            StoredChange(position + number, recording, change) for number, change in enumerate(changes, start=1)
        ]


@dataclass(frozen=True, slots=True)
class MemoryUndoLog:
    """``UndoLog`` in memory."""

    state: MemoryState
    clock: Clock

    async def latest(self) -> datetime:
        return self.state.recordings[-1].recorded_at

    async def require(self, instant: datetime) -> None:
        check_recorded(
            instant,
            first=self.state.recordings[0].recorded_at,
            last=self.state.recordings[-1].recorded_at,
            now=self.clock.now(),
        )

    async def later(self, series_ids: Sequence[int], *, span: Span, after: datetime) -> LaterRecordings:
        later = [one for one in self.state.recordings if one.recorded_at > after]
        of_series = pl.col("series_id").is_in(list(series_ids))
        files = [
            self.state.file_series[one.file_id].filter(of_series) for one in later if one.file_id in self.state.file_series
        ]
        touched = pl.concat([pl.DataFrame(schema=FILE_SERIES), *files])
        spans = touched.select("series_id", pl.col("new_first_ts").alias("first"), pl.col("new_last_ts").alias("last"))
        ids = set(series_ids)
        publications = [
            stored.publications
            for one in later
            for stored in self.state.undone
            if stored.recording_id == one.recording_id and stored.series_id in ids
        ]
        return LaterRecordings(
            spans=spans.filter(pl.col("first") <= pl.col("last"), *_within(span, "first", "last")),
            sole=touched.filter("is_sole").select("series_id", "known_at"),
            undone=pl.concat([pl.DataFrame(schema=UNDONE), *publications]).filter(*_within(span, "ts", "ts")),
        )


def record_undone(state: MemoryState, recording_id: int, publications: pl.DataFrame) -> None:
    """Record publications of a recording, schema ``core.as_loaded.UNDONE``, series by series."""
    state.undone += [
        StoredUndone(int(part["series_id"][0]), recording_id, part) for part in publications.partition_by("series_id")
    ]


def _within(span: Span, first: str, last: str) -> list[pl.Expr]:
    """Return the conditions that instants from one column to another touch a span."""
    start = [] if span.start is None else [pl.col(last) >= span.start]
    end = [] if span.end is None else [pl.col(first) < span.end]
    return [*start, *end] or [pl.lit(value=True)]
