"""Records of the files offered to the store, and of the rows held back from them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import polars as pl

from aurum.core.catalog.entries import FileEntry, FileStatus, KnownAtBasis, QuarantinedRow
from aurum.core.clock import Clock
from aurum.storage.memory.state import MemoryState
from aurum.storage.ports import FileLoad, LoadOutcome


class FileLog:
    """Writes what ``MemoryQualityLog`` reads of files and quarantine."""

    def __init__(self, state: MemoryState, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    @property
    def next_id(self) -> int:
        return len(self._state.files) + 1

    def applied_before(self, digest: str) -> list[FileEntry]:
        """Records of a content that was applied, oldest first."""
        return [file for file in self._state.files if file.digest == digest and file.status is FileStatus.APPLIED]

    def applied(self, file: FileLoad, outcome: LoadOutcome, *, known_at: datetime | None, seconds: float) -> None:
        """Record a load; rows held back by earlier ones of the same content count as replayed."""
        now = self._clock.now()
        self._state.held[:] = [
            replace(row, replayed_at=now) if row.digest == file.digest and row.replayed_at is None else row
            for row in self._state.held
        ]
        self._state.files.append(
            FileEntry(
                file_id=outcome.file_id,
                digest=file.digest,
                name=file.name,
                source=file.source,
                dataset=file.dataset,
                status=FileStatus.APPLIED,
                reason="",
                known_at=known_at,
                known_at_basis=file.known_at_basis,
                rows_read=file.rows_read,
                new=outcome.new,
                revised=outcome.revised,
                unchanged=outcome.unchanged,
                quarantined=outcome.quarantined,
                seconds=seconds,
                loaded_at=now,
            )
        )

    def refused(self, *, name: str, digest: str, source: str, dataset: str, reason: str) -> int:
        """Record a refusal; gives its id."""
        file_id = self.next_id
        self._state.files.append(
            FileEntry(
                file_id=file_id,
                digest=digest,
                name=name,
                source=source,
                dataset=dataset,
                status=FileStatus.REFUSED,
                reason=reason,
                known_at=None,
                known_at_basis=KnownAtBasis.INGESTION,
                rows_read=0,
                new=0,
                revised=0,
                unchanged=0,
                quarantined=0,
                seconds=0.0,
                loaded_at=self._clock.now(),
            )
        )
        return file_id

    def hold(self, file: FileLoad, quarantine: pl.DataFrame, *, file_id: int) -> None:
        """Put the ``REFUSED`` rows of a file into quarantine."""
        now = self._clock.now()
        for row in quarantine.iter_rows(named=True):
            self._state.held.append(
                QuarantinedRow(
                    row_id=len(self._state.held) + 1,
                    file_id=file_id,
                    file_name=file.name,
                    digest=file.digest,
                    source=file.source,
                    dataset=file.dataset,
                    created_at=now,
                    replayed_at=None,
                    **row,
                )
            )
