"""Vocabularies of data quality: flags of observations, and reasons for quarantine."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Quality(IntEnum):
    """The flag of every observation and of every aggregate. The numbers are stored: add new ones, never renumber."""

    GOOD = 0
    PRELIMINARY = 1
    ESTIMATED = 2
    SUSPECT = 3
    """Outside the usual range of its dataset, yet possible."""
    WITHDRAWN = 9
    """Withdrawn by its publisher; its value is NaN."""
    PARTIAL = 10
    """An aggregate of fewer values than its bucket has steps. In answers only: no observation is stored with it."""

    @property
    def label(self) -> str:
        return self.name.lower()

    @property
    def is_stored(self) -> bool:
        """Whether an observation may have this flag."""
        return self is not Quality.PARTIAL


class Reason(StrEnum):
    """Why a row (or one cell of it) is in quarantine instead of in the store."""

    NON_NUMERIC = "non_numeric"
    MISSING_FIELD = "missing_field"
    INVALID_TIME = "invalid_time"
    """Not a time, off the step or the weekday of the series, or contradicted by another column or by the file's name."""
    NON_EXISTENT_TIME = "non_existent_time"
    AMBIGUOUS_TIME = "ambiguous_time"
    DUPLICATE_KEY = "duplicate_key"
    OUT_OF_BOUNDS = "out_of_bounds"
    UNKNOWN_CODE = "unknown_code"
    CONFLICTING_SERIES = "conflicting_series"
    """In the published list of reasons; no row is held back for it now."""
    INCONSISTENT = "inconsistent"
    """The numbers of a row contradict each other, as a total that is not the sum of its components."""
