"""Reads stored schedules. A row may have been written by hand, or by a release that had other jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from aurum.core.schedule.due import Misfire, Schedule
from aurum.core.schedule.times import Cron, Every, InvalidSchedule, Times
from aurum.services.jobs.definition import Definition, Definitions, Payload
from aurum.services.jobs.submit import new_job
from aurum.storage.ports.jobs import NewJob
from aurum.storage.ports.schedule import ScheduleSpec, StoredSchedule

_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule that can be fired: when it is due, and the job that it submits."""

    schedule: Schedule
    definition: Definition
    payload: Payload

    def job(self, *, subject: str, key: str | None = None) -> NewJob:
        """Return the job of this schedule, to be submitted. ``subject``, ``key``: as in ``NewJob``."""
        return new_job(self.definition, self.payload, subject=subject, key=key)


def last_instant(stored: StoredSchedule) -> datetime:
    """Return the newest instant of a stored schedule that is over; the one from which it counts, before the first."""
    last = stored.since if stored.last_due is None else max(stored.last_due, stored.since)
    # A row written by hand may say infinity.
    return min(max(last, _FIRST), _LAST)


def read_plan(spec: ScheduleSpec, definitions: Definitions) -> Plan:
    """Return the plan of a stored schedule.

    Raises ``InvalidSchedule`` for times that cannot be or are never due, ``UnknownDefinition`` and ``InvalidParameters`` for a
    job that this release does not have, or not with such a payload.
    """
    definition = definitions[spec.definition]
    schedule = Schedule(spec.name, _times(spec), spec.jitter_s, _misfire(spec.misfire), spec.is_on)
    return Plan(schedule, definition, definition.read(spec.payload))


def _times(spec: ScheduleSpec) -> Times:
    if (spec.cron is None) == (spec.every_s is None):
        raise InvalidSchedule("cron", spec.cron, "either a cron expression or a number of seconds is needed, not both")
    return Every(spec.every_s) if spec.every_s is not None else Cron(spec.cron or "", spec.zone)


def _misfire(text: str) -> Misfire:
    if text not in list(Misfire):
        raise InvalidSchedule("misfire", text, f"takes {', '.join(Misfire)}")
    return Misfire(text)
