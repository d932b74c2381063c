"""The table that decides what happens to a failed job, by the base of its error (see ``aurum.core.errors``)."""

from __future__ import annotations

from enum import StrEnum

from dramatiq import Retry
from dramatiq.common import compute_backoff

from aurum.core.errors import AurumError, Conflict, Forbidden, Invalid, NotFound, RateLimited, Unauthenticated, Unavailable

MOST_TRIES = 100
"""The tries of a job, which take about six hours: a database may be down for a night's maintenance."""
SHORTEST_WAIT_MS = 1_000
LONGEST_WAIT_MS = 300_000


class JobFate(StrEnum):
    """The fate of a failed job.

    ``RETRY``: it is tried again, after a longer wait each time. ``PARK``: it goes to the dead-letter queue for an operator.
    """

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


def fate_of(error: BaseException) -> JobFate:
    """Return the fate of a job after an error, by the nearest base in the table. Any other exception is a bug: ``PARK``."""
    return next((_TABLE[base] for base in type(error).__mro__ if base in _TABLE), JobFate.PARK)


def wait_ms(tries: int, error: AurumError) -> int:
    """Return the milliseconds to wait after a failure that ``tries`` failures preceded.

    The wait grows with each failure, and is never shorter than the error's ``retry_after``.
    """
    _, backoff = compute_backoff(tries, factor=SHORTEST_WAIT_MS, max_backoff=LONGEST_WAIT_MS)
    least_s = error.retry_after if isinstance(error, Unavailable | RateLimited) else None
    return max(backoff, int(1000 * (least_s or 0)))


def should_retry(tries: int, error: BaseException) -> bool:
    """Return, for Dramatiq, whether to try a job again: after a ``Retry``, up to ``MOST_TRIES`` times."""
    return tries < MOST_TRIES and isinstance(error, Retry)
