"""What checks of files and marts found: each expectation's outcome, kept for a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aurum.core.catalog.validations import Validation, ValidationEntry, ValidationResult


@dataclass(frozen=True, slots=True)
class ValidationFilter:
    """Every given field must match; ``since``: recorded then or later."""

    suite: str | None = None
    source: str | None = None
    dataset: str | None = None
    mart: str | None = None
    success: bool | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """How much is kept: of each suite the newest ``each`` that succeeded and as many that did not, none from before ``since``.

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
    """Records what checks found. Those of a file are recorded with it, by ``SeriesWriter``."""

    async def record_validations(self, results: Sequence[ValidationResult]) -> tuple[int, ...]:
        """Record all or none; gives their ids, in order. Raises ``Unavailable``."""
        ...

    async def forget_validations(self, keep: Retention, *, suites: Sequence[str]) -> int:
        """Forget what is not to be kept of some suites; gives how many that were. Two may do it at once."""
        ...
