"""The schedule in dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime

from aurum.core.errors import UnknownName
from aurum.core.names import nearest
from aurum.storage.memory.state import MemoryState
from aurum.storage.ports.schedule import ScheduleSpec, StoredSchedule


class MemoryScheduleLog:
    """``ScheduleLog`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def schedules(self) -> Sequence[StoredSchedule]:
        return [self._state.schedules[name] for name in sorted(self._state.schedules)]


class MemoryScheduleWriter:
    """``ScheduleWriter`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._schedules = state.schedules

    async def seed(self, specs: Sequence[ScheduleSpec], *, at: datetime, by: str) -> None:
        names = {spec.name for spec in specs}
        for name in [name for name, stored in self._schedules.items() if not stored.is_edited and name not in names]:
            del self._schedules[name]
        for spec in specs:
            before = self._schedules.get(spec.name)
            if before is None or not (before.is_edited or before.spec == spec):
                self._store(spec, at=at, by=by, is_edited=False)

    async def put(self, spec: ScheduleSpec, *, at: datetime, by: str) -> StoredSchedule:
        return self._store(spec, at=at, by=by, is_edited=True)

    async def switch(self, name: str, *, is_on: bool, at: datetime, by: str) -> StoredSchedule:
        return self._store(replace(self._read(name).spec, is_on=is_on), at=at, by=by, is_edited=True)

    async def delete(self, name: str) -> None:
        del self._schedules[self._read(name).spec.name]

    def move(self, read: StoredSchedule, last_due: datetime) -> bool:
        """Move the newest instant that is over, if the schedule is still as it was read, and return whether it was."""
        stored = self._schedules.get(read.spec.name)
        is_same = stored is not None and stored.spec.is_on and replace(stored, last_job=read.last_job) == read
        if is_same:
            self._schedules[read.spec.name] = replace(read, last_due=last_due)
        return is_same

    def record_job(self, name: str, job_id: str) -> None:
        """Record the job that was submitted last."""
        self._schedules[name] = replace(self._schedules[name], last_job=job_id)

    def _read(self, name: str) -> StoredSchedule:
        if name not in self._schedules:
            raise UnknownName("schedule", name, nearest(name, self._schedules))
        return self._schedules[name]

    def _store(self, spec: ScheduleSpec, *, at: datetime, by: str, is_edited: bool) -> StoredSchedule:
        spec = replace(spec, payload=deepcopy(dict(spec.payload)))
        before = self._schedules.get(spec.name)
        if before is None:
            stored = StoredSchedule(spec, at, None, None, is_edited, at, by)
        else:
            times = (spec.cron, spec.every_s, spec.zone) != (before.spec.cron, before.spec.every_s, before.spec.zone)
            since = at if times or (spec.is_on and not before.spec.is_on) else before.since
            stored = replace(before, spec=spec, since=since, is_edited=is_edited, updated_at=at, updated_by=by)
        self._schedules[spec.name] = stored
        return stored
