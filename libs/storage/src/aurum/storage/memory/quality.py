"""What was held back and found missing, and what checks of files and marts found, in lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import islice

import polars as pl

from aurum.core.catalog.entries import Completeness, DatasetQuality, FileStatus, QuarantinedRow
from aurum.core.catalog.validations import Validation, ValidationEntry, ValidationResult
from aurum.core.clock import Clock
from aurum.core.errors import NotFound
from aurum.core.frames import REFUSED, conform
from aurum.storage.memory.state import MemoryState
from aurum.storage.ports.quality import CompletenessFilter, QuarantineFilter, Retention, ValidationFilter


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
        self, criteria: CompletenessFilter, *, after: tuple[str, date] | None, limit: int
    ) -> Sequence[Completeness]:
        days = (
            found
            for place, found in sorted(self._state.completeness.items(), key=lambda item: item[0])
            if criteria.key in (None, found.key)
            and self._is_of(found.key, criteria.source, criteria.dataset)
            and (criteria.start is None or found.day >= criteria.start)
            and (criteria.end is None or found.day < criteria.end)
            and (not criteria.only_incomplete or found.missing > 0)
            and (after is None or place > after)
        )
        return list(islice(days, limit))

    async def days_around(self, series_ids: Sequence[int], day: date) -> tuple[date | None, date | None]:
        keys = {key for key, series in self._state.series.items() if series.series_id in set(series_ids)}
        days = [found.day for found in self._state.completeness.values() if found.key in keys and found.present > 0]
        return max((one for one in days if one < day), default=None), min((one for one in days if one > day), default=None)

    async def quarantine_page(
        self, criteria: QuarantineFilter, *, after: int | None = None, limit: int
    ) -> Sequence[QuarantinedRow]:
        rows = (
            row
            for row in self._state.held
            if criteria.source in (None, row.source)
            and criteria.dataset in (None, row.dataset)
            and criteria.reason in (None, row.reason)
            and criteria.digest in (None, row.digest)
            and (not criteria.pending_only or row.replayed_at is None)
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


class MemoryValidationLog:
    """``ValidationLog`` and ``ValidationWriter`` in memory."""

    def __init__(self, state: MemoryState, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    async def validations_page(
        self, criteria: ValidationFilter, *, before: int | None, limit: int
    ) -> Sequence[ValidationEntry]:
        entries = (
            one.entry
            for one in reversed(self._state.validations)
            if _matches(one.entry, criteria) and (before is None or one.entry.validation_id < before)
        )
        return list(islice(entries, limit))

    async def latest_validations(self) -> Sequence[ValidationEntry]:
        newest = {one.entry.suite: one.entry for one in self._state.validations}
        return [newest[suite] for suite in sorted(newest)]

    async def validation(self, validation_id: int) -> Validation:
        for one in self._state.validations:
            if one.entry.validation_id == validation_id:
                return one
        raise NotFound(f"no validation {validation_id}", validation_id=validation_id)

    async def record_validations(self, results: Sequence[ValidationResult]) -> tuple[int, ...]:
        async with self._state.lock:
            return _record(self._state, self._clock, results)

    async def forget_validations(self, keep: Retention, *, suites: Sequence[str]) -> int:
        async with self._state.lock:
            return self._forget(keep, suites)

    def _forget(self, keep: Retention, suites: Sequence[str]) -> int:
        kept: list[Validation] = []
        counts: dict[tuple[str, bool], int] = {}
        before = len(self._state.validations)
        for one in reversed(self._state.validations):
            place = (one.entry.suite, one.entry.success)
            counts[place] = counts.get(place, 0) + 1
            if one.entry.suite not in suites or (counts[place] <= keep.each and one.entry.validated_at >= keep.since):
                kept.append(one)
        self._state.validations[:] = reversed(kept)
        return before - len(kept)


class MemoryQualityWriter:
    """``QualityWriter`` in memory."""

    def __init__(self, state: MemoryState, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    async def hold(self, file_id: int, rows: pl.DataFrame) -> None:
        now, file = self._clock.now(), self._state.files[file_id - 1]
        for row in conform(rows, REFUSED).iter_rows(named=True):
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

    async def mark_replayed(self, digest: str) -> None:
        now = self._clock.now()
        self._state.held = [
            replace(row, replayed_at=now) if row.digest == digest and row.replayed_at is None else row
            for row in self._state.held
        ]

    async def record_validations(
        self, results: Sequence[ValidationResult], *, file_id: int | None = None, file_name: str | None = None
    ) -> tuple[int, ...]:
        return _record(self._state, self._clock, results, file_id, file_name)


def _record(
    state: MemoryState,
    clock: Clock,
    results: Sequence[ValidationResult],
    file_id: int | None = None,
    file_name: str | None = None,
) -> tuple[int, ...]:
    return tuple(_add(state, clock, one, file_id, file_name) for one in results)


def _add(state: MemoryState, clock: Clock, result: ValidationResult, file_id: int | None, file_name: str | None) -> int:
    state.last_validation_id += 1
    entry = ValidationEntry(
        validation_id=state.last_validation_id,
        suite=result.suite,
        source=result.source,
        dataset=result.dataset,
        mart=result.mart,
        file_id=file_id,
        file_name=file_name,
        run_id=result.run_id,
        rows=result.rows,
        expectations=len(result.outcomes),
        failed=result.failed,
        warned=result.warned,
        success=result.success,
        reason=result.reason,
        validated_at=clock.now(),
    )
    outcomes = tuple(replace(one, sample=tuple(one.sample)) for one in result.outcomes)
    state.validations.append(Validation(entry, outcomes))
    return entry.validation_id


def _matches(entry: ValidationEntry, criteria: ValidationFilter) -> bool:
    return (
        (criteria.suite is None or entry.suite == criteria.suite)
        and (criteria.source is None or entry.source == criteria.source)
        and (criteria.dataset is None or entry.dataset == criteria.dataset)
        and (criteria.mart is None or entry.mart == criteria.mart)
        and (criteria.success is None or entry.success == criteria.success)
        and (criteria.since is None or entry.validated_at >= criteria.since)
    )
