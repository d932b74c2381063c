"""The log of jobs and a worker in this process, as tests use them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TypeAlias

import trial_jobs

from aurum.assembly.postgres import PostgresStore
from aurum.common.settings.workers import WorkersSettings
from aurum.common.telemetry import work
from aurum.core.jobs.states import JobState
from aurum.storage.ports.access import Actor
from aurum.storage.ports.jobs import Job, NewJob
from aurum.storage.testing.waiting import wait_until
from aurum.workers.service import Service

QUICK = WorkersSettings(metrics_port=0, sweep_s=0.2, lease_s=3600.0, first_retry_s=0.01, longest_retry_s=0.05, grace_s=0.0)
"""Settings with which nothing is waited for. A worker of a machine that stands still has not vanished: ``Log.vanished``."""
LIGHT = QUICK.model_copy(update={"interactive_places": 0, "bulk_places": 0, "maintenance_places": 0})
"""The same for light jobs only: no job process is started."""


@dataclass(slots=True)
class Log:
    """The log of jobs, as tests use it."""

    store: PostgresStore

    async def submit(self, name: str, *, carried: Mapping[str, object] | None = None, **payload: object) -> str:
        """Submit a trial job, in the context of the present request, and return its id."""
        definition = trial_jobs.trial_jobs().definitions[name]
        exclusive = payload.get("key") if name == "trial.exclusive" else None
        new = NewJob(
            name,
            payload,
            definition.queue,
            exclusive=None if exclusive is None else str(exclusive),
            carried=work.carried() if carried is None else carried,
        )
        async with self.store.transactions.transaction(by=Actor("test")) as tx:
            (job_id,) = await tx.jobs.submit([new])
        return job_id

    async def cancel(self, job_id: str) -> None:
        async with self.store.transactions.transaction(by=Actor("test")) as tx:
            await tx.jobs.cancel(job_id)

    async def retry(self, job_id: str) -> None:
        async with self.store.transactions.transaction(by=Actor("test")) as tx:
            await tx.jobs.retry(job_id)

    async def until(self, job_id: str, *states: JobState) -> Job:
        """Wait until a job is in one of the states, or has ended, and return it."""
        wanted = states or tuple(state for state in JobState if state.has_ended)

        async def reached() -> bool:
            return (await self.store.jobs.job(job_id)).state in wanted

        await wait_until(reached, f"{job_id} is {wanted}")
        return await self.store.jobs.job(job_id)

    async def vanished(self, worker: str, service: Service) -> None:
        """Let the last sign of a worker be a day old, and the worker that runs know that the database answered all the time."""
        async with self.store.pool.acquire() as connection:
            await connection.execute("UPDATE job SET started_at = started_at - interval '1 day' WHERE worker = $1", worker)
            await connection.execute(
                "UPDATE job_worker SET heartbeat_at = heartbeat_at - interval '1 day' WHERE worker = $1", worker
            )
        service.sweeper._answers_since = -QUICK.lease_s

    async def effects(self) -> list[tuple[str, int]]:
        """Return the effects that were made, by key and item."""
        async with self.store.pool.acquire() as connection:
            rows = await connection.fetch("SELECT key, item FROM trial_effect ORDER BY key, item")
        return [(row["key"], row["item"]) for row in rows]


Serve: TypeAlias = Callable[..., AbstractAsyncContextManager[Service]]
"""Runs a worker for the length of a block: ``serve(workers=QUICK)``. At the end it is stopped in order."""
