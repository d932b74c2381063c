"""Records of the files offered to the store, in a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

import polars as pl

from aurum.core.catalog.entries import FileEntry, FileStatus, KnownAtBasis
from aurum.core.clock import Clock
from aurum.core.frames import BASES
from aurum.storage.memory.state import MemoryState
from aurum.storage.ports.files import FileFilter, FileRecord, LoadOutcome

_STRENGTH = (KnownAtBasis.PUBLISHED, KnownAtBasis.STATED, KnownAtBasis.INGESTED)


class MemoryFileLog:
    """``FileLog`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def files_page(self, criteria: FileFilter, *, before: int | None, limit: int) -> Sequence[FileEntry]:
        files = (
            file
            for file in reversed(self._state.files)
            if criteria.status in (None, file.status)
            and criteria.source in (None, file.source)
            and criteria.dataset in (None, file.dataset)
            and (criteria.since is None or file.loaded_at >= criteria.since)
            and (before is None or file.file_id < before)
        )
        return list(islice(files, limit))

    async def files_of(self, digest: str) -> Sequence[FileEntry]:
        return [file for file in self._state.files if file.digest == digest]

    async def applied(self, digest: str) -> Sequence[FileEntry]:
        return _applied(self._state, digest)

    async def bases(self, series_ids: Sequence[int], *, first: datetime, last: datetime) -> pl.DataFrame:
        wanted = set(series_ids)
        strongest: dict[tuple[int, datetime], KnownAtBasis] = {}
        for (series_id, known_at), basis in self._bases():
            if series_id in wanted and first <= known_at <= last and basis in _STRENGTH:
                key = (series_id, known_at)
                strongest[key] = min(strongest.get(key, basis), basis, key=_STRENGTH.index)
        return pl.DataFrame([(*row, str(basis)) for row, basis in sorted(strongest.items())], schema=BASES, orient="row")

    def _bases(self) -> Iterator[tuple[tuple[int, datetime], KnownAtBasis]]:
        """Yield series and known time of every file and issue, with the basis."""
        for file in self._state.files:
            frame = self._state.file_series.get(file.file_id)
            if frame is not None:
                for row in frame.filter(~pl.col("is_scheduled")).select("series_id", "known_at").rows():
                    yield (row[0], row[1]), file.known_at_basis
        for one in self._state.issues:
            frame = self._state.file_series.get(one.file_id)
            if frame is not None:
                for series_id in frame["series_id"].to_list():
                    yield (series_id, one.issue.known_at), one.issue.basis


class MemoryFileWriter:
    """``FileWriter`` in memory."""

    def __init__(self, state: MemoryState, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    async def lock(self, digest: str) -> None:
        del digest  # transactions run one after the other

    async def applied(self, digest: str) -> Sequence[FileEntry]:
        return _applied(self._state, digest)

    async def known_now(self) -> datetime:
        return self._clock.now()

    async def record_applied(self, file: FileRecord, counts: LoadOutcome, *, known_at: datetime | None, seconds: float) -> int:
        return self._append(file, FileStatus.APPLIED, "", counts, file.known_at_basis, known_at, seconds)

    async def record_refused(self, file: FileRecord, reason: str) -> int:
        nothing = LoadOutcome(0, 0, 0, 0, 0)
        return self._append(file, FileStatus.REFUSED, reason, nothing, KnownAtBasis.INGESTED, None, 0.0)

    def _append(
        self,
        file: FileRecord,
        status: FileStatus,
        reason: str,
        counts: LoadOutcome,
        basis: KnownAtBasis,
        known_at: datetime | None,
        seconds: float,
    ) -> int:
        entry = FileEntry(
            file_id=len(self._state.files) + 1,
            digest=file.digest,
            name=file.name,
            source=file.source,
            dataset=file.dataset,
            status=status,
            reason=reason,
            known_at=known_at,
            known_at_basis=basis,
            rows_read=file.rows_read if status is FileStatus.APPLIED else 0,
            new=counts.new,
            revised=counts.revised,
            unchanged=counts.unchanged,
            quarantined=counts.quarantined,
            seconds=seconds,
            loaded_at=self._clock.now(),
            suspect_series=file.suspect_series,
            unit_jumps=file.unit_jumps,
            flagged_curves=file.flagged_curves,
            quote_flags=file.quote_flags,
            size=file.size,
            format=file.format,
            parser_version=file.parser_version,
            release=file.release,
            archive=file.archive,
            sent_by=file.sent_by,
        )
        self._state.files.append(entry)
        return entry.file_id


def _applied(state: MemoryState, digest: str) -> Sequence[FileEntry]:
    return [file for file in state.files if file.digest == digest and file.status is FileStatus.APPLIED]
