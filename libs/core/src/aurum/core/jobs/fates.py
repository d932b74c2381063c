"""The fate of a job after a failed attempt, by the base of the error (see ``aurum.core.errors``).

The wait before the next attempt grows with each failure, has a random part, and is never shorter than the error asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aurum.core.errors import (
    AurumError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unavailable,
)

MOST_DEATHS = 3
"""Number of processes that a job may end before it is parked."""
MOST_LOSSES = 10
"""Number of workers that may vanish while they run a job, before it is parked. A worker seldom ends because of its job: its
machine was switched off, or an operator killed it."""


class Fate(StrEnum):
    """``RETRY``: another attempt follows. ``PARK``: the job waits for an operator."""

    RETRY = "retry"
    PARK = "park"


_BY_ERROR: dict[type[AurumError], Fate] = {
    Unavailable: Fate.RETRY,
    RateLimited: Fate.RETRY,
    Invalid: Fate.PARK,
    NotFound: Fate.PARK,
    Gone: Fate.PARK,
    Conflict: Fate.PARK,
    Unauthenticated: Fate.PARK,
    Forbidden: Fate.PARK,
}


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds to wait before attempts: ``first_s`` after the first failure, doubled after each, at most ``longest_s``."""

    first_s: float = 1.0
    longest_s: float = 300.0

    def wait_s(self, failures: int, *, spread: float, least_s: float = 0.0) -> float:
        """Return the wait after a number of failures, 1 or more.

        ``spread``: a random number of [0, 1), by which the wait is shortened up to one half, so that jobs that failed together
        do not return together. ``least_s``: the wait that the error asks for.
        """
        whole = min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return max(least_s, whole * (1.0 - spread / 2.0))


def fate_of(error: BaseException) -> Fate:
    """Return the fate of a job after an error, by the nearest base in the table. Any other exception is a bug: ``PARK``."""
    return next((_BY_ERROR[base] for base in type(error).__mro__ if base in _BY_ERROR), Fate.PARK)


def requested_wait_s(error: BaseException) -> float:
    """Return the seconds that an error asks to wait; 0 where it asks for none."""
    return float(error.retry_after or 0.0) if isinstance(error, Unavailable | RateLimited) else 0.0
