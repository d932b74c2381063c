"""How good what was loaded is: completeness, rows in quarantine, and what checks of files and marts found."""

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
    """Every field that is not None must match. ``pending_only``: without rows whose file was loaded again."""

    source: str | None = None
    dataset: str | None = None
    reason: str | None = None
    digest: str | None = None
    pending_only: bool = True


class QualityLog(Protocol):
    """Reads of what was held back and found missing. All methods raise ``Unavailable`` when the store does not answer."""

    async def datasets_quality(self, *, now: datetime, source: str | None = None) -> Sequence[DatasetQuality]:
        """The state of each dataset that has series or refused files, by (source, dataset), from one snapshot."""
        ...

    async def completeness_page(
        self, criteria: CompletenessFilter, *, after: tuple[str, date] | None, limit: int
    ) -> Sequence[Completeness]:
        """Days by (key, day)."""
        ...

    async def days_around(self, series_ids: Sequence[int], day: date) -> tuple[date | None, date | None]:
        """The last local day before, and the first after, on which any of the series has a value; of those that completeness
        is counted for.
        """
        ...

    async def quarantine_page(
        self, criteria: QuarantineFilter, *, after: int | None = None, limit: int
    ) -> Sequence[QuarantinedRow]:
        """Quarantined rows by id."""
        ...

    async def quarantined_row(self, row_id: int) -> QuarantinedRow:
        """One row. Raises ``NotFound``."""
        ...


class QualityWriter(Protocol):
    """Records within a transaction what checks of one file found and held back."""

    async def hold(self, file_id: int, rows: pl.DataFrame) -> None:
        """Put rows of a file into quarantine, schema ``core.frames.REFUSED``."""
        ...

    async def mark_replayed(self, digest: str) -> None:
        """Mark the pending rows of a content as replayed: its file is being loaded again."""
        ...

    async def record_validations(
        self, results: Sequence[ValidationResult], *, file_id: int | None = None, file_name: str | None = None
    ) -> tuple[int, ...]:
        """Record what checks found, of a file when its id is passed; gives their ids, in order."""
        ...


@dataclass(frozen=True, slots=True)
class ValidationFilter:
    """Every field that is not None must match; ``since``: recorded then or later."""

    suite: str | None = None
    source: str | None = None
    dataset: str | None = None
    mart: str | None = None
    success: bool | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """How much is retained: of each suite the newest ``each`` that succeeded and as many that did not, none from before
    ``since``.

    Counted apart, so that many good files never push out the record of a bad one.
    """

    since: datetime
    each: int


class ValidationLog(Protocol):
    """Reads of what checks found."""

    async def validations_page(
        self, criteria: ValidationFilter, *, before: int | None, limit: int
    ) -> Sequence[ValidationEntry]:
        """Validations, the newest record first; ``before`` is the last id already seen."""
        ...

    async def latest_validations(self) -> Sequence[ValidationEntry]:
        """The newest record of each suite, by suite."""
        ...

    async def validation(self, validation_id: int) -> Validation:
        """One validation. Raises ``NotFound``."""
        ...


class ValidationWriter(Protocol):
    """Records what checks of marts found. Those of a file are recorded with it, by ``QualityWriter``."""

    async def record_validations(self, results: Sequence[ValidationResult]) -> tuple[int, ...]:
        """Record all or none; gives their ids, in order. Raises ``Unavailable``."""
        ...

    async def forget_validations(self, keep: Retention, *, suites: Sequence[str]) -> int:
        """Delete what is not to be retained of some suites; gives how many that were. Two may do it at once."""
        ...
