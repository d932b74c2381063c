"""Jobs in memory behave as jobs on PostgreSQL do, whatever is done to them in whatever order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurum.common.clock import SystemClock
from aurum.core.errors import AurumError
from aurum.core.jobs.states import JobState
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import Actor
from aurum.storage.ports.jobs import Claim, Job, JobFilter, JobWriter, Lost, NewJob, Outcome, Progress
from aurum.storage.testing.stores import PostgresStore, Store

pytestmark = pytest.mark.needs_postgres

OPERATOR = Actor("key:operator")
NAMES = ("light", "heavy")


class Refused(Exception):
    """The error that ends a transaction of this test."""


@dataclass(slots=True)
class Side:
    """A store, with the ids and claims of its jobs in the order in which they were made."""

    store: Store
    ids: list[str] = field(default_factory=list[str])
    claims: list[Claim] = field(default_factory=list[Claim])

    def number(self, job_id: str) -> int:
        return self.ids.index(job_id)


Step: TypeAlias = Callable[[Side], Awaitable[object]]
"""Does something to a store and returns what it answered, without ids and times."""


def submitted(new: NewJob, later: bool, fails: bool) -> Step:
    async def step(side: Side) -> object:
        wanted = replace(new, run_after=SystemClock().now() + timedelta(days=1)) if later else new
        try:
            async with side.store.transactions.transaction(by=OPERATOR) as tx:
                (job_id,) = await tx.jobs.submit([wanted])
                if fails:
                    raise Refused
        except Refused:
            return "rolled back"
        if job_id not in side.ids:
            side.ids.append(job_id)
        return side.number(job_id)

    return step


def claimed(worker: str, limit: int, names: tuple[str, ...], lost: Lost) -> Step:
    async def step(side: Side) -> object:
        claims = await side.store.worker_log.claim(worker, "bulk", names=names, limit=limit, lost=lost)
        side.claims += claims
        return [(side.number(one.job_id), one.attempt, one.attempts, one.deaths, one.losses) for one in claims]

    return step


def ended(nth: int, outcome: Outcome) -> Step:
    async def step(side: Side) -> object:
        if not side.claims:
            return None
        claim = side.claims[nth % len(side.claims)]
        done = await side.store.worker_log.finish([replace(outcome, job_id=claim.job_id, attempt=claim.attempt)])
        return [side.number(one) for one in done]

    return step


def in_transaction(nth: int, call: Callable[[JobWriter, Claim], Awaitable[object]]) -> Step:
    """Do something to the job of a claim, in a transaction."""

    async def step(side: Side) -> object:
        if not side.claims:
            return None
        claim = side.claims[nth % len(side.claims)]
        async with side.store.transactions.transaction(by=OPERATOR) as tx:
            await call(tx.jobs, claim)
        return "done"

    return step


def on_job(nth: int, call: Callable[[JobWriter, str], Awaitable[object]]) -> Step:
    async def step(side: Side) -> object:
        if not side.ids:
            return None
        async with side.store.transactions.transaction(by=OPERATOR) as tx:
            await call(tx.jobs, side.ids[nth % len(side.ids)])
        return "done"

    return step


async def recovered(side: Side) -> object:
    """Every worker has vanished."""
    return sorted(map(side.number, await side.store.worker_log.recover(silent_for_s=0.0)))


async def announced(side: Side) -> object:
    async with side.store.worker_log.announcing(limit=3) as jobs:
        return [(side.number(one.job_id), one.queue) for one in jobs]


async def progressed(side: Side) -> object:
    if side.claims:
        last = side.claims[-1]
        await side.store.worker_log.progress(last.job_id, last.attempt, Progress(len(side.claims)))
    return None


numbers = st.integers(0, 5)
new_jobs = st.builds(
    NewJob,
    name=st.sampled_from(NAMES),
    payload=st.just({}),
    queue=st.just("bulk"),
    priority=st.sampled_from([5, 5, 1]),
    tenant=st.sampled_from([None, "acme", "bolt"]),
    key=st.sampled_from([None, None, "k"]),
    exclusive=st.sampled_from([None, None, "x", "y"]),
)
outcomes = st.builds(
    Outcome,
    job_id=st.just(""),
    attempt=st.just(0),
    state=st.sampled_from([JobState.SUCCEEDED, JobState.PARKED, JobState.QUEUED, JobState.QUEUED]),
    died=st.booleans(),
    handed_back=st.sampled_from([False, False, True]),
)
steps = st.one_of(
    st.builds(submitted, new_jobs, st.sampled_from([False, False, False, True]), st.sampled_from([False, False, True])),
    st.builds(submitted, new_jobs, st.just(False), st.just(False)),
    st.builds(
        claimed,
        st.sampled_from(["w1", "w2"]),
        st.integers(1, 3),
        st.sampled_from([NAMES, ("light",)]),
        st.sampled_from(list(Lost)),
    ),
    st.builds(ended, numbers, outcomes),
    st.builds(in_transaction, numbers, st.just(lambda jobs, claim: jobs.succeed(claim.job_id, claim.attempt))),
    st.builds(on_job, numbers, st.just(lambda jobs, job_id: jobs.cancel(job_id))),
    st.builds(on_job, numbers, st.just(lambda jobs, job_id: jobs.retry(job_id))),
    st.builds(on_job, numbers, st.just(lambda jobs, job_id: jobs.drop(job_id))),
    st.just(recovered),
    st.just(announced),
    st.just(progressed),
)


async def answer(side: Side, step: Step) -> object:
    try:
        return await step(side)
    except AurumError as error:
        return type(error).__name__


async def all_jobs(side: Side) -> list[tuple[object, ...]]:
    jobs: list[Job] = sorted(await side.store.jobs.page(JobFilter(), limit=100), key=lambda job: side.number(job.job_id))
    return [
        (
            side.number(job.job_id),
            job.state,
            job.attempts,
            job.deaths,
            job.losses,
            job.worker,
            job.progress,
            job.reason,
            job.evidence.get("kind"),
            job.started_at is None,
            job.ended_at is None,
            job.cancel_requested_at is None,
        )
        for job in jobs
    ]


@settings(max_examples=max(2, settings().max_examples // 5))
@given(sequence=st.lists(steps, min_size=5, max_size=30))
async def test_both_stores_answer_the_same(shared_postgres_store: PostgresStore, sequence: list[Step]) -> None:
    async with shared_postgres_store.pool.acquire() as connection:
        await connection.execute("DELETE FROM job; DELETE FROM job_worker")
    memory, postgres = Side(MemoryStore(SystemClock())), Side(PostgresStore(shared_postgres_store.pool, SystemClock()))
    for step in sequence:
        assert await answer(postgres, step) == await answer(memory, step)
        assert await all_jobs(postgres) == await all_jobs(memory)
    counts = [[replace(one, oldest=None) for one in await side.store.jobs.counts()] for side in (postgres, memory)]
    assert counts[0] == counts[1]
