"""Queues of jobs that worker processes run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aurum.core.errors import Unavailable


class QueueUnavailable(Unavailable):
    """The queue does not answer."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """Numbers of jobs of a queue: waiting, delayed until a set time, and parked after their last failure."""

    name: str
    waiting: int
    delayed: int
    parked: int


@dataclass(frozen=True, slots=True)
class ParkedJob:
    """A job that failed and is not tried again.

    ``payload``: as it was in the queue; a malformed one may be the cause of the failure. ``parked_at``: UTC.
    """

    job_id: str
    name: str
    queue: str
    payload: Mapping[str, object]
    reason: str
    parked_at: datetime


class JobQueue(Protocol):
    """The queues as an operator sees them. Every method raises ``Unavailable`` when the queue does not answer."""

    async def queues(self) -> Sequence[QueueState]:
        """Return the state of every queue, ascending by name."""
        ...

    async def put(self, name: str, payload: Mapping[str, object], *, queue: str, job_id: str | None = None) -> str:
        """Put a job into a queue and return its id. ``contracts/events`` describes the payload.

        ``job_id``: a new unique id, for callers that must know it beforehand; None to have one made.
        """
        ...

    async def parked(self, *, after: tuple[float, str] | None, limit: int) -> Sequence[ParkedJob]:
        """Return parked jobs, the oldest first; ``after``: ``parked_at`` (POSIX seconds) and id of the last job seen."""
        ...

    async def parked_job(self, job_id: str) -> ParkedJob:
        """Return a parked job. Raises ``NotFound``."""
        ...

    async def retry(self, job_id: str) -> ParkedJob:
        """Put a parked job back into its queue, as if it had never been tried. Raises ``NotFound``."""
        ...

    async def discard(self, job_id: str) -> ParkedJob:
        """Delete a parked job and return it. Raises ``NotFound``."""
        ...
