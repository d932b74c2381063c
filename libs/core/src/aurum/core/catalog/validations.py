"""Results of checking frames against expectations, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aurum.core.catalog.expectations import Severity, worded

MOST_SAMPLED = 10
"""Most rows stored as examples of a breach of one expectation."""


@dataclass(frozen=True, slots=True)
class ExpectationOutcome:
    """The result of one expectation.

    ``evaluated``: number of rows it applies to. ``unexpected``: number of rows that break it; None for expectations about the
    whole table, and for those that could not be evaluated, for which ``observed`` describes what was found instead. ``sample``:
    the first rows that break it, at most ``MOST_SAMPLED``, with the columns that identify a row and those it checks, as JSON
    values.
    """

    expectation: str
    column: str | None
    kwargs: Mapping[str, Any]
    severity: Severity
    success: bool
    evaluated: int
    unexpected: int | None
    observed: str | None = None
    sample: Sequence[Mapping[str, Any]] = ()
    why: str = ""

    @property
    def wording(self) -> str:
        """The expectation in words."""
        return worded(self.expectation, self.kwargs)


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """The result of one suite for one frame: the rows of a dataset in one file, or a mart.

    ``run_id``: the run that built the mart. ``reason``: why the whole file was refused, or the mart could not be read.
    """

    suite: str
    source: str | None = None
    dataset: str | None = None
    mart: str | None = None
    run_id: str | None = None
    rows: int = 0
    outcomes: tuple[ExpectationOutcome, ...] = ()
    reason: str = ""

    @property
    def failed(self) -> int:
        """The number of critical expectations that do not hold."""
        return sum(not one.success and one.severity is Severity.CRITICAL for one in self.outcomes)

    @property
    def warned(self) -> int:
        """The number of expectations with severity ``warning`` that do not hold."""
        return sum(not one.success and one.severity is Severity.WARNING for one in self.outcomes)

    @property
    def success(self) -> bool:
        """True when all critical expectations hold and nothing was refused."""
        return not self.reason and self.failed == 0


@dataclass(frozen=True, slots=True)
class ValidationEntry:
    """A stored validation. ``file_id``, ``file_name``: None for marts. ``expectations``: how many were evaluated."""

    validation_id: int
    suite: str
    source: str | None
    dataset: str | None
    mart: str | None
    file_id: int | None
    file_name: str | None
    run_id: str | None
    rows: int
    expectations: int
    failed: int
    warned: int
    success: bool
    reason: str
    validated_at: datetime


@dataclass(frozen=True, slots=True)
class Validation:
    """A stored validation with the outcome of each expectation, in the order of the suite."""

    entry: ValidationEntry
    outcomes: tuple[ExpectationOutcome, ...] = field(default_factory=tuple)
