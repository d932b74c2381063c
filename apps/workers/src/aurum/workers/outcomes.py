"""What becomes of a job that failed: one table, by what could be done about it (see ``aurum.core.errors``)."""

from __future__ import annotations

from enum import StrEnum

from aurum.core.errors import AurumError, Conflict, Invalid, NotFound, RateLimited, Unavailable

MOST_TRIES = 12
SHORTEST_WAIT_MS = 1_000
LONGEST_WAIT_MS = 300_000


class Outcome(StrEnum):
    """``RETRY``: try again later, waiting longer each time. ``PARK``: keep it aside (the dead-letter queue) for a person."""

    RETRY = "retry"
    PARK = "park"


_TABLE: dict[type[BaseException], Outcome] = {
    Unavailable: Outcome.RETRY,
    RateLimited: Outcome.RETRY,
    Invalid: Outcome.PARK,
    NotFound: Outcome.PARK,
    Conflict: Outcome.PARK,
}


def outcome(error: BaseException) -> Outcome:
    """What to do after an error: its nearest base decides. What is no ``AurumError`` is a bug, and is parked."""
    return next((_TABLE[base] for base in type(error).__mro__ if base in _TABLE), Outcome.PARK)


def should_retry(tries: int, error: BaseException) -> bool:
    """For Dramatiq's retries: ``tries`` so far."""
    return tries < MOST_TRIES and outcome(error) is Outcome.RETRY


EXPECTED: type[Exception] = AurumError
"""Failures that are logged as one line, not with a stack."""
