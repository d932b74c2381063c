"""Quality of loaded data: completeness, rows in quarantine, and results of the checks of files and marts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from aurum.core.catalog.entries import Completeness, DatasetQuality, QuarantinedRow
from aurum.core.catalog.validations import Validation, ValidationEntry, ValidationResult

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class CompletenessFilter:
    """Every field that is not None must match. ``start``, ``end``: local days, half-open."""

    key: str | None = None
    source: str | None = None
    dataset: str | None = None
    start: date | None = None
    end: date | None = None
    only_incomplete: bool = False


@dataclass(frozen=True, slots=True)
class QuarantineFilter:
    """Every field that is not None must match. ``pending_only``: leave out rows whose file was loaded again."""

    source: str | None = None
    dataset: str | None = None
    reason: str | None = None
    digest: str | None = None
    pending_only: bool = True


class QualityLog(Protocol):
    """Reads of quarantined rows and of completeness. All methods raise ``Unavailable`` when the store does not answer."""

    async def datasets_quality(self, *, now: datetime, source: str | None = None) -> Sequence[DatasetQuality]:
        """Return the state of each dataset that has series or refused files, by (source, dataset), from one snapshot."""
        ...

    async def completeness_page(
        self, criteria: CompletenessFilter, *, after: tuple[str, date] | None, limit: int
    ) -> Sequence[Completeness]:
        """Return the completeness of local days, ascending by (key, day)."""
        ...

    async def days_around(self, series_ids: Sequence[int], day: date) -> tuple[date | None, date | None]:
        """Return the nearest local days before and after ``day`` on which one of the series has a value.

        Only series with a fixed step are considered, because completeness is counted for them alone.
        """
        ...

    async def quarantine_page(
        self, criteria: QuarantineFilter, *, after: int | None = None, limit: int
    ) -> Sequence[QuarantinedRow]:
        """Return quarantined rows, ascending by id."""
        ...

    async def quarantined_row(self, row_id: int) -> QuarantinedRow:
        """Return one quarantined row. Raises ``NotFound``."""
        ...


class QualityWriter(Protocol):
    """Writes of quarantined rows and check results of one file, within a transaction."""

    async def quarantine(self, file_id: int, rows: pl.DataFrame) -> None:
        """Store rows of a file, schema ``core.frames.REFUSED``, in quarantine."""
        ...

    async def mark_replayed(self, digest: str) -> None:
        """Mark the pending rows of a content as replayed, because its file is being loaded again."""
        ...

    async def record_validations(
        self, results: Sequence[ValidationResult], *, file_id: int | None = None, file_name: str | None = None
    ) -> tuple[int, ...]:
        """Record results of checks, with the file when ``file_id`` is not None; return their ids, in order."""
        ...


@dataclass(frozen=True, slots=True)
class ValidationFilter:
    """Every field that is not None must match; ``since``: recorded at that instant or later."""

    suite: str | None = None
    source: str | None = None
    dataset: str | None = None
    mart: str | None = None
    success: bool | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """Rule for retained validations: of each suite the newest ``each`` that succeeded and the newest ``each`` that failed.

    Validations before ``since`` are not retained. Successes and failures are counted separately, so that many good files never
    displace the record of a bad one.
    """

    since: datetime
    each: int


class ValidationLog(Protocol):
    """Reads of validations: the results of checks."""

    async def validations_page(
        self, criteria: ValidationFilter, *, before: int | None, limit: int
    ) -> Sequence[ValidationEntry]:
        """Return validations, the newest first; ``before`` is the last id already seen."""
        ...

    async def latest_validations(self) -> Sequence[ValidationEntry]:
        """Return the newest validation of each suite, ascending by suite."""
        ...

    async def validation(self, validation_id: int) -> Validation:
        """Return one validation. Raises ``NotFound``."""
        ...


class ValidationWriter(Protocol):
    """Writes of validations of marts. ``QualityWriter`` records those of a file, in the transaction of its load."""

    async def record_validations(self, results: Sequence[ValidationResult]) -> tuple[int, ...]:
        """Record all results or none; return their ids, in order. Raises ``Unavailable``."""
        ...

    async def forget_validations(self, retention: Retention, *, suites: Sequence[str]) -> int:
        """Delete validations of some suites that the rule does not retain, and return their number.

        Safe for two callers at once.
        """
        ...
