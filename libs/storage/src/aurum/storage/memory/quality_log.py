"""Reads what was loaded, held back and found missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from itertools import islice

from aurum.core.catalog.entries import Completeness, DatasetQuality, FileEntry, FileStatus, QuarantinedRow
from aurum.core.errors import NotFound
from aurum.storage.memory.state import MemoryState


class MemoryQualityLog:
    """``QualityLog`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def datasets_quality(self, *, now: datetime, source: str | None = None) -> Sequence[DatasetQuality]:
        state = self._state
        names = {
            *((series.key.source, series.key.dataset) for series in state.series.values()),
            *((row.source, row.dataset) for row in state.held if row.replayed_at is None),
            *((file.source, file.dataset) for file in state.files if file.status is FileStatus.REFUSED),
        }
        return [self._quality(*name, now) for name in sorted(names) if source is None or name[0] == source]

    async def completeness_page(
        self,
        *,
        key: str | None,
        source: str | None,
        dataset: str | None,
        start: date | None,
        end: date | None,
        only_incomplete: bool,
        after: tuple[str, date] | None,
        limit: int,
    ) -> Sequence[Completeness]:
        days = (
            found
            for place, found in sorted(self._state.completeness.items(), key=lambda item: item[0])
            if (key is None or found.key == key)
            and self._is_of(found.key, source, dataset)
            and (start is None or found.day >= start)
            and (end is None or found.day < end)
            and (not only_incomplete or found.missing > 0)
            and (after is None or place > after)
        )
        return list(islice(days, limit))

    async def files_page(
        self,
        *,
        status: str | None,
        source: str | None = None,
        dataset: str | None = None,
        since: datetime | None = None,
        before: int | None,
        limit: int,
    ) -> Sequence[FileEntry]:
        files = (
            file
            for file in reversed(self._state.files)
            if (status is None or file.status == status)
            and (source is None or file.source == source)
            and (dataset is None or file.dataset == dataset)
            and (since is None or file.loaded_at >= since)
            and (before is None or file.file_id < before)
        )
        return list(islice(files, limit))

    async def files_of(self, digest: str) -> Sequence[FileEntry]:
        return [file for file in self._state.files if file.digest == digest]

    async def quarantine_page(
        self,
        *,
        source: str | None = None,
        dataset: str | None = None,
        reason: str | None = None,
        digest: str | None = None,
        pending_only: bool = True,
        after: int | None = None,
        limit: int,
    ) -> Sequence[QuarantinedRow]:
        rows = (
            row
            for row in self._state.held
            if (source is None or row.source == source)
            and (dataset is None or row.dataset == dataset)
            and (reason is None or row.reason == reason)
            and (digest is None or row.digest == digest)
            and (not pending_only or row.replayed_at is None)
            and (after is None or row.row_id > after)
        )
        return list(islice(rows, limit))

    async def quarantined_row(self, row_id: int) -> QuarantinedRow:
        for row in self._state.held:
            if row.row_id == row_id:
                return row
        raise NotFound(f"no row {row_id} in quarantine", row_id=row_id)

    def _is_of(self, key: str, source: str | None, dataset: str | None) -> bool:
        parts = self._state.series[key].key
        return (source is None or parts.source == source) and (dataset is None or parts.dataset == dataset)

    def _quality(self, source: str, dataset: str, now: datetime) -> DatasetQuality:
        state = self._state
        series = [found for found in state.series.values() if (found.key.source, found.key.dataset) == (source, dataset)]
        newest = max((found.last_ts for found in series if found.last_ts is not None), default=None)
        gaps = [found for found in state.completeness.values() if found.missing > 0 and self._is_of(found.key, source, dataset)]
        held = [row for row in state.held if (row.source, row.dataset) == (source, dataset) and row.replayed_at is None]
        declared = state.datasets.get((source, dataset))
        limit = declared.freshness_hours if declared is not None else None
        age = (now - newest).total_seconds() / 3600 if newest is not None else None
        return DatasetQuality(
            source=source,
            dataset=dataset,
            series=len(series),
            newest_ts=newest,
            last_loaded_at=max((found.updated_at for found in series if found.updated_at is not None), default=None),
            age_hours=age,
            stale=None if age is None or limit is None else age > limit,
            incomplete_days=len(gaps),
            missing_intervals=sum(found.missing for found in gaps),
            quarantined=len(held),
            refused_files=sum(
                (file.source, file.dataset, file.status) == (source, dataset, FileStatus.REFUSED) for file in state.files
            ),
            reasons=dict(Counter(row.reason for row in held)),
        )
