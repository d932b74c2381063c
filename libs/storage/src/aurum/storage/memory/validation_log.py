"""What checks of files and marts found, kept in a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from aurum.core.catalog.validations import Validation, ValidationEntry, ValidationResult
from aurum.core.clock import Clock
from aurum.core.errors import NotFound
from aurum.storage.memory.state import MemoryState
from aurum.storage.ports.quality import Retention, ValidationFilter


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
        return self.record(results)

    def record(
        self, results: Sequence[ValidationResult], *, file_id: int | None = None, file_name: str | None = None
    ) -> tuple[int, ...]:
        """The same, of a file when its id is given."""
        return tuple(self._add(one, file_id, file_name) for one in results)

    async def forget_validations(self, keep: Retention, *, suites: Sequence[str]) -> int:
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

    def _add(self, result: ValidationResult, file_id: int | None, file_name: str | None) -> int:
        self._state.last_validation_id += 1
        entry = ValidationEntry(
            validation_id=self._state.last_validation_id,
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
            validated_at=self._clock.now(),
        )
        outcomes = tuple(replace(one, sample=tuple(one.sample)) for one in result.outcomes)
        self._state.validations.append(Validation(entry, outcomes))
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
