"""Jobs while several processes work on them: each has a pool of its own, so transactions really run at the same time."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import asyncpg
import pytest
import pytest_asyncio

from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings
from aurum.core.errors import Unavailable
from aurum.core.jobs.states import JobState
from aurum.storage.ports.access import Actor
from aurum.storage.ports.jobs import ClaimLost, JobFilter, JobHasEnded, NewJob, Outcome
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.jobs.claiming import BEGIN_CLAIM, CLAIM
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

OPERATOR = Actor("key:operator")
NAMES = ("light", "heavy")
WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1
"""


class Refused(Exception):
    """The error that a test raises in the middle of a transaction."""


@pytest_asyncio.fixture(loop_scope="session")
async def store(shared_postgres_store: PostgresStore) -> PostgresStore:
    """One process. The database is that of other tests, which have no jobs."""
    async with shared_postgres_store.pool.acquire() as connection:
        await connection.execute("TRUNCATE job, job_worker")
    return PostgresStore(shared_postgres_store.pool, SystemClock())


@pytest_asyncio.fixture(loop_scope="session")
async def other(store: PostgresStore, shared_database_url: str) -> AsyncIterator[PostgresStore]:
    """Another process on the same database."""
    pool = await PostgresPool.open(DatabaseSettings(url=shared_database_url, pool_size=4))
    other_store = PostgresStore(pool, SystemClock())
    yield other_store
    await other_store.close()
    await pool.close()


def job(**values: object) -> NewJob:
    return replace(NewJob("light", {"path": "/data/a.csv"}, "bulk"), **values)  # pyright: ignore[reportArgumentType]


async def submit(store: PostgresStore, *jobs: NewJob) -> list[str]:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        return list(await tx.jobs.submit(jobs))


async def waits(store: PostgresStore, statement: str) -> bool:
    """Return whether a statement that begins like this waits for another transaction."""
    async with store.pool.acquire() as connection:
        return await connection.fetchval(WAITING, f"{statement}%") > 0


async def test_workers_that_claim_at_once_never_get_the_same_job(store: PostgresStore, other: PostgresStore) -> None:
    ids = await submit(store, *(job(tenant=f"t{n % 7}", priority=n % 3) for n in range(150)))
    started: Counter[str] = Counter()

    async def work(process: PostgresStore, worker: str) -> None:
        while claims := await process.worker_log.claim(worker, "bulk", names=NAMES, limit=4):
            started.update(claim.job_id for claim in claims)
            outcomes = [Outcome(claim.job_id, claim.attempt, JobState.SUCCEEDED) for claim in claims]
            assert set(await process.worker_log.finish(outcomes)) == {claim.job_id for claim in claims}

    await asyncio.gather(*(work(process, f"w{n}") for n, process in enumerate((store, other) * 3)))
    assert started == Counter(ids)


async def test_jobs_with_one_exclusive_text_never_run_at_the_same_time(store: PostgresStore, other: PostgresStore) -> None:
    await submit(store, *(job(exclusive=f"source {n % 3}", tenant=f"t{n % 2}") for n in range(45)))
    running: set[str] = set()
    done = 0

    async def work(process: PostgresStore, worker: str) -> None:
        nonlocal done
        while done < 45:
            for claim in await process.worker_log.claim(worker, "bulk", names=NAMES, limit=5):
                text = (await process.jobs.job(claim.job_id)).exclusive or ""
                assert text not in running
                running.add(text)
                await asyncio.sleep(0)
                running.remove(text)
                await process.worker_log.finish([Outcome(claim.job_id, claim.attempt, JobState.SUCCEEDED)])
                done += 1

    await asyncio.gather(*(work(process, f"w{n}") for n, process in enumerate((store, other) * 2)))
    assert {counts.queue: counts.waiting for counts in await store.jobs.counts()}["bulk"] == 0


async def test_jobs_that_are_submitted_at_once_with_one_key_are_one_job(store: PostgresStore, other: PostgresStore) -> None:
    keys = [f"file {n}" for n in range(5)]
    batches = [[job(key=key) for key in order] for order in (keys, keys[::-1])] * 4
    ids = await asyncio.gather(*(submit((store, other)[n % 2], *batch) for n, batch in enumerate(batches)))
    assert {tuple(one) for one in ids[::2]} == {tuple(one[::-1]) for one in ids[1::2]}
    assert len(await store.jobs.page(JobFilter(), limit=100)) == 5


async def test_a_key_is_free_again_when_its_transaction_fails(store: PostgresStore, other: PostgresStore) -> None:
    async def fail() -> None:
        async with store.transactions.transaction(by=OPERATOR) as tx:
            (refused,) = await tx.jobs.submit([job(key="file")])
            following = asyncio.create_task(submit(other, job(key="file")))
            await wait_until(lambda: waits(store, "%INSERT INTO job"))
            assert not following.done()
            refusals.append((refused, following))
            raise Refused

    refusals: list[tuple[str, asyncio.Task[list[str]]]] = []
    with pytest.raises(Refused):
        await fail()
    ((refused, following),) = refusals
    (stored,) = await following
    assert stored != refused
    assert [one.job_id for one in await store.jobs.page(JobFilter(), limit=9)] == [stored]


async def test_a_job_that_another_transaction_is_changing_holds_up_no_claim(store: PostgresStore, other: PostgresStore) -> None:
    first, second = await submit(store, job(), job())
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.jobs.cancel(first)
        (claim,) = await other.worker_log.claim("w", "bulk", names=NAMES, limit=1)
        assert claim.job_id == second
    assert await other.worker_log.claim("w", "bulk", names=NAMES, limit=1) == []


async def test_a_cancellation_waits_for_a_success_that_is_being_committed(store: PostgresStore, other: PostgresStore) -> None:
    await submit(store, job())
    (claim,) = await store.worker_log.claim("w", "bulk", names=NAMES, limit=1)

    async def cancel() -> None:
        async with other.transactions.transaction(by=OPERATOR) as tx:
            await tx.jobs.cancel(claim.job_id)

    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.jobs.succeed(claim.job_id, claim.attempt)
        cancelling = asyncio.create_task(cancel())
        await wait_until(lambda: waits(store, "SELECT state FROM job"))
        # Nor is it lost meanwhile: its worker is at work.
        assert await other.worker_log.recover(silent_for_s=0.0) == []
    with pytest.raises(JobHasEnded):
        await cancelling


async def test_a_job_is_recovered_or_succeeds_but_not_both(store: PostgresStore, other: PostgresStore) -> None:
    await submit(store, *(job() for _ in range(20)))
    claims = await store.worker_log.claim("gone", "bulk", names=NAMES, limit=20)

    async def succeed(job_id: str, attempt: int) -> str | None:
        with suppress(ClaimLost):
            async with store.transactions.transaction(by=OPERATOR) as tx:
                await tx.jobs.succeed(job_id, attempt)
            return job_id
        return None

    async def recover() -> list[str]:
        await asyncio.sleep(0)
        return list(await other.worker_log.recover(silent_for_s=0.0))

    recovering = asyncio.create_task(recover())
    succeeded = {await succeed(claim.job_id, claim.attempt) for claim in claims} - {None}
    recovered = set(await recovering)
    assert succeeded | recovered == {claim.job_id for claim in claims}
    assert succeeded & recovered == set()


async def test_relays_that_announce_at_once_never_get_the_same_job(store: PostgresStore, other: PostgresStore) -> None:
    ids = await submit(store, *(job() for _ in range(60)))
    announced: Counter[str] = Counter()

    async def announce(process: PostgresStore) -> None:
        while True:
            async with process.worker_log.announcing(limit=7) as jobs:
                announced.update(one.job_id for one in jobs)
                await asyncio.sleep(0)
            if sum(announced.values()) == 60:
                return

    await asyncio.gather(*(announce(process) for process in (store, other) * 2))
    assert announced == Counter(ids)


async def test_listeners_are_told_when_their_connection_is_lost(store: PostgresStore) -> None:
    async with store.worker_log.listen() as notices:
        async with store.pool.acquire() as connection:
            await connection.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'aurum jobs'"
            )
        with pytest.raises(Unavailable):
            await anext(notices)


async def test_a_claim_reads_as_many_rows_as_it_needs_not_as_many_as_wait(store: PostgresStore) -> None:
    await submit(store, *(job(tenant=f"t{n % 100}", name=NAMES[n % 2]) for n in range(4000)))
    await submit(store, *(job(exclusive=f"source {n % 5}") for n in range(1000)))
    async with store.pool.begin() as connection:
        await connection.execute(BEGIN_CLAIM)
        (row,) = await connection.fetchrow(f"EXPLAIN (ANALYZE, FORMAT JSON) {CLAIM}", "w", "bulk", list(NAMES), 8, "t50", True)
    (plan,) = json.loads(row) if isinstance(row, str) else row
    scans = list(_scans(plan["Plan"]))
    assert {scan["Node Type"] for scan in scans} <= {"Index Scan", "Index Only Scan"}
    assert sum(scan["Actual Rows"] * scan["Actual Loops"] for scan in scans) < 1000


def _scans(node: dict[str, object]) -> list[dict[str, object]]:
    """Return the nodes of a plan that read the table of jobs."""
    below = [scan for child in node.get("Plans", []) for scan in _scans(child)]
    return [node, *below] if node.get("Relation Name") == "job" and "Scan" in str(node["Node Type"]) else below


@pytest.mark.parametrize("statement", ["SELECT * FROM job_worker", "DELETE FROM job_worker"])
async def test_a_tenant_cannot_reach_workers(store: PostgresStore, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with store.pool.for_tenant("acme") as connection:
            await connection.execute(statement)
