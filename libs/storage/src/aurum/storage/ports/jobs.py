"""Work that is asked for and done elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aurum.core.errors import Unavailable


class QueueAway(Unavailable):
    """The queue does not answer."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """How many jobs of a queue wait, wait for their time, and are parked."""

    name: str
    waiting: int
    delayed: int
    parked: int


@dataclass(frozen=True, slots=True)
class ParkedJob:
    """A job that failed for good. ``payload``: as it stood in the queue, which may be why. ``parked_at``: UTC."""

    job_id: str
    name: str
    queue: str
    payload: Mapping[str, object]
    reason: str
    parked_at: datetime


class JobQueue(Protocol):
    """The queues as an operator sees them. Every method raises ``Unavailable`` when the queue does not answer."""

    async def queues(self) -> Sequence[QueueState]:
        """By name."""
        ...

    async def put(self, name: str, payload: Mapping[str, object], *, queue: str, job_id: str | None = None) -> str:
        """Ask for a job (its payload is described in ``contracts/events``); gives its id.

        ``job_id``: another than any before, where it must be known beforehand; else one is made.
        """
        ...

    async def parked(self, *, after: tuple[float, str] | None, limit: int) -> Sequence[ParkedJob]:
        """The oldest first; ``after``: ``parked_at`` (POSIX seconds) and id of the last one already seen."""
        ...

    async def parked_job(self, job_id: str) -> ParkedJob:
        """Raises ``NotFound``."""
        ...

    async def retry(self, job_id: str) -> ParkedJob:
        """Put a parked job back into its queue, as if it had never been tried. Raises ``NotFound``."""
        ...

    async def discard(self, job_id: str) -> ParkedJob:
        """Drop a parked job. Raises ``NotFound``."""
        ...
