"""Completeness, quarantined rows and results of the checks of files and marts, in lists."""

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
            *((row.source, row.dataset) for row in state.quarantine if row.replayed_at is None),
            *((file.source, file.dataset) for file in state.files if file.status is FileStatus.REFUSED),
        }
        return [self._quality(*name, now) for name in sorted(names) if source is None or name[0] == source]

    async def completeness_page(
        self, criteria: CompletenessFilter, *, after: tuple[str, date] | None, limit: int
    ) -> Sequence[Completeness]:
        days = (
            entry
            for position, entry in sorted(self._state.completeness.items(), key=lambda item: item[0])
            if criteria.key in (None, entry.key)
            and self._is_of(entry.key, criteria.source, criteria.dataset)
            and (criteria.start is None or entry.day >= criteria.start)
            and (criteria.end is None or entry.day < criteria.end)
            and (not criteria.only_incomplete or entry.missing > 0)
            and (after is None or position > after)
        )
        return list(islice(days, limit))

    async def days_around(self, series_ids: Sequence[int], day: date) -> tuple[date | None, date | None]:
        keys = {key for key, series in self._state.series.items() if series.series_id in set(series_ids)}
        days = [entries.day for entries in self._state.completeness.values() if entries.key in keys and entries.present > 0]
        return max((one for one in days if one < day), default=None), min((one for one in days if one > day), default=None)

    async def quarantine_page(
        self, criteria: QuarantineFilter, *, after: int | None = None, limit: int
    ) -> Sequence[QuarantinedRow]:
        rows = (
            row
            for row in self._state.quarantine
            if criteria.source in (None, row.source)
            and criteria.dataset in (None, row.dataset)
            and criteria.reason in (None, row.reason)
            and criteria.digest in (None, row.digest)
            and (not criteria.pending_only or row.replayed_at is None)
            and (after is None or row.row_id > after)
        )
        return list(islice(rows, limit))

    async def quarantined_row(self, row_id: int) -> QuarantinedRow:
        for row in self._state.quarantine:
            if row.row_id == row_id:
                return row
        raise NotFound(f"quarantine has no row {row_id}", row_id=row_id)

    def _is_of(self, key: str, source: str | None, dataset: str | None) -> bool:
        parts = self._state.series[key].key
        return (source is None or parts.source == source) and (dataset is None or parts.dataset == dataset)

    def _quality(self, source: str, dataset: str, now: datetime) -> DatasetQuality:
        state = self._state
        members = [series for series in state.series.values() if (series.key.source, series.key.dataset) == (source, dataset)]
        newest = max((series.last_ts for series in members if series.last_ts is not None), default=None)
        gaps = [day for day in state.completeness.values() if day.missing > 0 and self._is_of(day.key, source, dataset)]
        pending = [
            row for row in state.quarantine if (row.source, row.dataset) == (source, dataset) and row.replayed_at is None
        ]
        declared = state.datasets.get((source, dataset))
        limit = declared.freshness_hours if declared is not None else None
        age = (now - newest).total_seconds() / 3600 if newest is not None else None
        return DatasetQuality(
            source=source,
            dataset=dataset,
            series=len(members),
            newest_ts=newest,
            last_loaded_at=max((series.updated_at for series in members if series.updated_at is not None), default=None),
            age_hours=age,
            stale=None if age is None or limit is None else age > limit,
            incomplete_days=len(gaps),
            missing_intervals=sum(day.missing for day in gaps),
            quarantined=len(pending),
            refused_files=sum(
                (file.source, file.dataset, file.status) == (source, dataset, FileStatus.REFUSED) for file in state.files
            ),
            reasons=dict(Counter(row.reason for row in pending)),
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
            validation.entry
            for validation in reversed(self._state.validations)
            if _matches(validation.entry, criteria) and (before is None or validation.entry.validation_id < before)
        )
        return list(islice(entries, limit))

    async def latest_validations(self) -> Sequence[ValidationEntry]:
        newest = {validation.entry.suite: validation.entry for validation in self._state.validations}
        return [newest[suite] for suite in sorted(newest)]

    async def validation(self, validation_id: int) -> Validation:
        for validation in self._state.validations:
            if validation.entry.validation_id == validation_id:
                return validation
        raise NotFound(f"validation {validation_id} does not exist", validation_id=validation_id)

    async def record_validations(self, results: Sequence[ValidationResult]) -> tuple[int, ...]:
        async with self._state.lock:
            return _record(self._state, self._clock, results)

    async def forget_validations(self, retention: Retention, *, suites: Sequence[str]) -> int:
        async with self._state.lock:
            return self._forget(retention, suites)

    def _forget(self, retention: Retention, suites: Sequence[str]) -> int:
        retained: list[Validation] = []
        counts: dict[tuple[str, bool], int] = {}
        before = len(self._state.validations)
        for validation in reversed(self._state.validations):
            entry = validation.entry
            group = (entry.suite, entry.success)
            counts[group] = counts.get(group, 0) + 1
            is_retained = counts[group] <= retention.each and entry.validated_at >= retention.since
            if entry.suite not in suites or is_retained:
                retained.append(validation)
        self._state.validations[:] = reversed(retained)
        return before - len(retained)


class MemoryQualityWriter:
    """``QualityWriter`` in memory."""

    def __init__(self, state: MemoryState, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    async def quarantine(self, file_id: int, rows: pl.DataFrame) -> None:
        now, file = self._clock.now(), self._state.files[file_id - 1]
        for row in conform(rows, REFUSED).iter_rows(named=True):
            self._state.quarantine.append(
                QuarantinedRow(
                    row_id=len(self._state.quarantine) + 1,
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
        self._state.quarantine = [
            replace(row, replayed_at=now) if row.digest == digest and row.replayed_at is None else row
            for row in self._state.quarantine
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
    return tuple(_add(state, clock, result, file_id, file_name) for result in results)


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
    outcomes = tuple(replace(outcome, sample=tuple(outcome.sample)) for outcome in result.outcomes)
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
