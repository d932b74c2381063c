"""The schedule: which jobs are submitted at which times.

Rows are stored as they were written, also by hand, and may be impossible: ``services.schedule`` reads them. All methods raise
``Unavailable`` when the store does not answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from aurum.storage.ports.jobs import NewJob


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """A schedule without its history.

    ``definition``: name of the job; ``payload``: its arguments, JSON-representable. ``cron``: expression of five fields, read
    on the clock of ``zone``; or ``every_s``: a number of seconds; the other one is None. ``jitter_s``: it fires later by less
    than that, in seconds. ``misfire``: a value of ``core.schedule.due.Misfire``.
    """

    name: str
    definition: str
    payload: Mapping[str, object] = field(default_factory=dict[str, object])
    cron: str | None = None
    zone: str = "UTC"
    every_s: int | None = None
    jitter_s: int = 0
    misfire: str = "once"
    is_on: bool = True


@dataclass(frozen=True, slots=True)
class StoredSchedule:
    """A schedule with its history; times in UTC.

    ``since``: when its times began to count: when it was made, switched on, or got other times. ``last_due``: the newest
    instant that is over, fired or left out; ``last_job``: id of the job that was submitted last; None before the first.
    ``is_edited``: a person made or changed it, so seeds leave it as it is. ``updated_by``: subject of the last change.
    """

    spec: ScheduleSpec
    since: datetime
    last_due: datetime | None
    last_job: str | None
    is_edited: bool
    updated_at: datetime
    updated_by: str


class ScheduleLog(Protocol):
    """Reads of the schedule."""

    async def schedules(self) -> Sequence[StoredSchedule]:
        """Return all schedules, ascending by name."""
        ...


class ScheduleWriter(Protocol):
    """Writes of the schedule within a transaction. ``at``: the present instant, UTC. ``by``: the subject of the change."""

    async def seed(self, specs: Sequence[ScheduleSpec], *, at: datetime, by: str) -> None:
        """Store the schedules of this release. Seeds of earlier releases are deleted; edited schedules stay as they are."""
        ...

    async def put(self, spec: ScheduleSpec, *, at: datetime, by: str) -> StoredSchedule:
        """Store a schedule under its name, as edited."""
        ...

    async def switch(self, name: str, *, is_on: bool, at: datetime, by: str) -> StoredSchedule:
        """Switch a schedule on or off, which edits it. What was due while it was off stays left out. Raises ``UnknownName``."""
        ...

    async def delete(self, name: str) -> None:
        """Delete a schedule; the next start of Aurum stores it again if it is a seed. Raises ``UnknownName``."""
        ...


class Lead(Protocol):
    """The lead among all schedulers of a store."""

    async def check(self) -> None:
        """Return while this process has the lead. Raises ``Unavailable`` when it may have lost it."""
        ...


class ScheduleFirings(Protocol):
    """The schedule as schedulers use it."""

    def lead(self) -> AbstractAsyncContextManager[Lead | None]:
        """Yield the lead, for the length of the block; None while another scheduler has it.

        The lead of a scheduler that dies, or whose connection is lost, becomes free.
        """
        ...

    async def fire(self, read: StoredSchedule, *, last_due: datetime, jobs: Sequence[NewJob]) -> Sequence[str] | None:
        """Submit jobs and move ``last_due``, both or neither, and return the ids of the jobs.

        Return None, and do nothing, when the schedule is no longer as it was read: another scheduler has fired it, or a person
        has changed it.
        """
        ...
