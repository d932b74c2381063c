"""What becomes of a job that failed: one table, by what could be done about it (see ``aurum.core.errors``)."""

from __future__ import annotations

from enum import StrEnum

from dramatiq import Retry
from dramatiq.common import compute_backoff

from aurum.core.errors import AurumError, Conflict, Forbidden, Invalid, NotFound, RateLimited, Unauthenticated, Unavailable

MOST_TRIES = 100
"""Some six hours: a database may be away for a night's maintenance."""
SHORTEST_WAIT_MS = 1_000
LONGEST_WAIT_MS = 300_000


class JobFate(StrEnum):
    """``RETRY``: try again later, waiting longer each time. ``PARK``: keep it aside (the dead-letter queue) for a person."""

    RETRY = "retry"
    PARK = "park"


_TABLE: dict[type[AurumError], JobFate] = {
    Unavailable: JobFate.RETRY,
    RateLimited: JobFate.RETRY,
    Invalid: JobFate.PARK,
    NotFound: JobFate.PARK,
    Conflict: JobFate.PARK,
    Unauthenticated: JobFate.PARK,
    Forbidden: JobFate.PARK,
}


def outcome(error: BaseException) -> JobFate:
    """What to do after an error: its nearest base decides. What is no ``AurumError`` is a bug, and is parked."""
    return next((_TABLE[base] for base in type(error).__mro__ if base in _TABLE), JobFate.PARK)


def wait_ms(tries: int, error: AurumError) -> int:
    """How long to wait after a failure that ``tries`` failures came before: what it asks for, or longer each time."""
    _, backoff = compute_backoff(tries, factor=SHORTEST_WAIT_MS, max_backoff=LONGEST_WAIT_MS)
    asked_s = error.retry_after if isinstance(error, Unavailable | RateLimited) else None
    return max(backoff, int(1000 * (asked_s or 0)))


def should_retry(tries: int, error: BaseException) -> bool:
    """For Dramatiq, which is told by ``Retry`` that a job may be tried again: until there were ``MOST_TRIES``."""
    return tries < MOST_TRIES and isinstance(error, Retry)
