"""Shows the schedule and changes it. Each change is one transaction with its audit record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from aurum.core.clock import Clock
from aurum.core.errors import AurumError, UnknownName
from aurum.core.names import nearest
from aurum.core.schedule.due import next_firing
from aurum.services.jobs.definition import Definitions
from aurum.services.schedule.reading import last_instant, read_plan
from aurum.storage.ports.access import Actor
from aurum.storage.ports.schedule import ScheduleLog, ScheduleSpec, StoredSchedule
from aurum.storage.ports.transaction import Transactions


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule as users see it.

    ``next_at``: when it fires next, its jitter included, UTC; None when it is off or broken. ``problem``: why it cannot be
    fired; empty for one that can.
    """

    stored: StoredSchedule
    next_at: datetime | None
    problem: str


async def views(log: ScheduleLog, definitions: Definitions) -> Sequence[ScheduleView]:
    """Return all schedules, ascending by name."""
    return [_view(stored, definitions) for stored in await log.schedules()]


async def view(log: ScheduleLog, definitions: Definitions, name: str) -> ScheduleView:
    """Return the schedule of a name. Raises ``UnknownName``."""
    return _view(await _stored(log, name), definitions)


async def set_schedule(
    transactions: Transactions, definitions: Definitions, spec: ScheduleSpec, *, by: Actor, clock: Clock
) -> StoredSchedule:
    """Store a schedule under its name, in place of the one before.

    Raises ``InvalidSchedule``, ``UnknownDefinition`` and ``InvalidParameters`` for one that could not be fired.
    """
    read_plan(spec, definitions)
    async with transactions.transaction(by=by) as tx:
        stored = await tx.schedule.put(spec, at=clock.now(), by=by.subject)
        await tx.audit.append("schedule.set", spec.name, asdict(spec))
    return stored


async def switch_schedule(transactions: Transactions, name: str, *, is_on: bool, by: Actor, clock: Clock) -> StoredSchedule:
    """Pause a schedule, or resume it; what was due while it was paused stays left out. Raises ``UnknownName``."""
    async with transactions.transaction(by=by) as tx:
        stored = await tx.schedule.switch(name, is_on=is_on, at=clock.now(), by=by.subject)
        await tx.audit.append("schedule.resume" if is_on else "schedule.pause", name, {})
    return stored


async def delete_schedule(transactions: Transactions, name: str, *, by: Actor) -> None:
    """Delete a schedule. A seed of this release comes back, as it was delivered. Raises ``UnknownName``."""
    async with transactions.transaction(by=by) as tx:
        await tx.schedule.delete(name)
        await tx.audit.append("schedule.delete", name, {})


async def run_schedule(transactions: Transactions, log: ScheduleLog, definitions: Definitions, name: str, *, by: Actor) -> str:
    """Submit the job of a schedule now, apart from its times and also when it is paused, and return the id of the job.

    Raises ``UnknownName``, and for a broken schedule what ``read_plan`` raises.
    """
    plan = read_plan((await _stored(log, name)).spec, definitions)
    async with transactions.transaction(by=by) as tx:
        (job_id,) = await tx.jobs.submit([plan.job(subject=by.subject)])
        await tx.audit.append("schedule.run", name, {"job_id": job_id})
    return job_id


async def _stored(log: ScheduleLog, name: str) -> StoredSchedule:
    by_name = {stored.spec.name: stored for stored in await log.schedules()}
    if name not in by_name:
        raise UnknownName("schedule", name, nearest(name, by_name))
    return by_name[name]


def _view(stored: StoredSchedule, definitions: Definitions) -> ScheduleView:
    try:
        plan = read_plan(stored.spec, definitions)
    except AurumError as error:
        return ScheduleView(stored, None, error.detail)
    return ScheduleView(stored, next_firing(plan.schedule, last_instant(stored)), "")
