"""What came of checking a frame against its expectations: plain values, as stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aurum.core.catalog.expectations import Severity, worded

MOST_SAMPLED = 10
"""Rows kept as examples of what broke one expectation."""


@dataclass(frozen=True, slots=True)
class ExpectationOutcome:
    """How one expectation fared.

    ``evaluated``: rows it is about. ``unexpected``: those that broke it; None for expectations about the whole table, and for
    those that could not be evaluated. ``observed``: what was found instead, for the same. ``sample``: the first rows that
    broke it, at most ``MOST_SAMPLED``: the columns that tell rows apart and those looked at, as JSON values.
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
    """One frame checked against one suite: a dataset's rows of one file, or a mart.

    ``run_id``: of the build of a mart. ``reason``: why the file was refused whole, or the mart could not be read.
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
        """Critical expectations that do not hold."""
        return sum(not one.success and one.severity is Severity.CRITICAL for one in self.outcomes)

    @property
    def warned(self) -> int:
        """Expectations that do not hold, and only warn."""
        return sum(not one.success and one.severity is Severity.WARNING for one in self.outcomes)

    @property
    def success(self) -> bool:
        """Nothing critical failed, and nothing was refused."""
        return not self.reason and self.failed == 0


@dataclass(frozen=True, slots=True)
class ValidationEntry:
    """A validation on record. ``file_id``, ``file_name``: None for marts. ``expectations``: how many were evaluated."""

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
    """A validation with how each expectation fared, in the order of the suite."""

    entry: ValidationEntry
    outcomes: tuple[ExpectationOutcome, ...] = field(default_factory=tuple)
