"""The log of jobs: submitted in transactions, claimed by workers, ended, recovered, parked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from aurum.common.clock import SystemClock
from aurum.core.jobs.fates import MOST_DEATHS, MOST_LOSSES
from aurum.core.jobs.states import JobState, Queue
from aurum.storage.job_values import LONGEST_JSON_BYTES, InvalidJob
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import Actor, OtherTenant
from aurum.storage.ports.jobs import (
    Claim,
    ClaimLost,
    Held,
    Job,
    JobFilter,
    JobHasEnded,
    JobNotParked,
    Lost,
    NewJob,
    Notice,
    Outcome,
    Progress,
    QueueCounts,
    UnknownJob,
)
from aurum.storage.testing.stores import PostgresStore, Store

OPERATOR = Actor("key:operator", None, "request-1", "127.0.0.1")
HOUR = timedelta(hours=1)
NOW = SystemClock().now()
UNKNOWN = "01234567-89ab-7def-8123-456789abcdef"
Pass = Callable[[timedelta], Awaitable[None]]


class Refused(Exception):
    """The error that a test raises in the middle of a transaction."""


def job(name: str = "ingest.file", *, queue: Queue = Queue.BULK, payload: Mapping[str, object] | None = None) -> NewJob:
    return NewJob(name, payload or {"path": "/data/a.csv"}, str(queue))


async def submit(store: Store, *jobs: NewJob) -> list[str]:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        return list(await tx.jobs.submit(jobs))


async def submit_and_fail(store: Store) -> None:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.jobs.submit([job()])
        raise Refused


async def claim(
    store: Store,
    limit: int = 100,
    *,
    worker: str = "w1",
    queue: Queue = Queue.BULK,
    lost: Lost = Lost.INCLUDED,
    names: tuple[str, ...] = ("ingest.file", "fetch.day"),
) -> list[Claim]:
    await store.worker_log.heartbeat(worker, facts={})
    return list(await store.worker_log.claim(worker, str(queue), names=names, limit=limit, lost=lost))


async def state_of(store: Store, job_id: str) -> JobState:
    return (await store.jobs.job(job_id)).state


async def cancel(store: Store, job_id: str) -> Job:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        return await tx.jobs.cancel(job_id)


async def retry(store: Store, job_id: str) -> Job:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        return await tx.jobs.retry(job_id)


def ended(one: Claim, state: JobState, **values: object) -> Outcome:
    return Outcome(one.job_id, one.attempt, state, **values)  # pyright: ignore[reportArgumentType]


@pytest_asyncio.fixture(loop_scope="session")
async def jobs_postgres_store(shared_postgres_store: PostgresStore) -> PostgresStore:
    """PostgreSQL without jobs and workers: the database of other tests, which have none."""
    async with shared_postgres_store.pool.acquire() as connection:
        await connection.execute("TRUNCATE job, job_worker")
    return PostgresStore(shared_postgres_store.pool, SystemClock())


@pytest.fixture(params=["memory", pytest.param("jobs_postgres", marks=pytest.mark.needs_postgres)])
def store(request: pytest.FixtureRequest) -> Store:
    """A store without jobs and workers."""
    return request.getfixturevalue(f"{request.param}_store")


@pytest.fixture
def let_pass(store: Store) -> Pass:
    """A function that moves everything stored into the past, as if that much time had passed."""

    async def let_pass(span: timedelta) -> None:
        if isinstance(store, MemoryStore):
            _move(store, span)
            return
        assert isinstance(store, PostgresStore)
        times = ("submitted_at", "run_after", "announced_at", "started_at", "ended_at", "cancel_requested_at")
        async with store.pool.acquire() as connection:
            await connection.execute(f"UPDATE job SET {', '.join(f'{name} = {name} - $1::interval' for name in times)}", span)
            await connection.execute(
                "UPDATE job_worker SET started_at = started_at - $1::interval, heartbeat_at = heartbeat_at - $1::interval", span
            )

    return let_pass


def _move(store: MemoryStore, span: timedelta) -> None:
    def earlier(at: datetime | None) -> datetime | None:
        return None if at is None else at - span

    for job_id, stored in store.state.jobs.items():
        names = ("submitted_at", "run_after", "started_at", "ended_at", "cancel_requested_at")
        moved = replace(stored.job, **{name: earlier(getattr(stored.job, name)) for name in names})
        store.state.jobs[job_id] = replace(stored, job=moved, announced_at=earlier(stored.announced_at))
    for name, entry in store.state.job_workers.items():
        times = {"started_at": entry.started_at - span, "heartbeat_at": entry.heartbeat_at - span}
        store.state.job_workers[name] = replace(entry, **times)


async def test_a_job_is_stored_as_it_was_submitted(store: Store) -> None:
    payload = {"path": "/data/ä.csv", "numbers": [1, -0.0, 1e22, 12345678901234567890], "nested": {"none": None, "yes": True}}
    new = NewJob(
        "ingest.file",
        payload,
        "bulk",
        priority=2,
        tenant="acme",
        subject="key:a1",
        run_after=NOW + HOUR,
        key="file:1",
        exclusive="files",
        parent=UNKNOWN,
        carried={"traceparent": "00-1"},
    )
    (job_id,) = await submit(store, new)
    stored = await store.jobs.job(job_id)
    assert (stored.job_id, stored.payload, stored.priority, stored.tenant) == (job_id, payload, 2, "acme")
    assert (stored.name, stored.queue, stored.state, stored.subject) == ("ingest.file", "bulk", JobState.QUEUED, "key:a1")
    assert (stored.run_after, stored.key, stored.exclusive, stored.parent) == (NOW + HOUR, "file:1", "files", UNKNOWN)
    assert (stored.carried, stored.attempts, stored.worker, stored.progress) == ({"traceparent": "00-1"}, 0, None, None)
    assert stored.submitted_at >= NOW


async def test_a_job_of_a_transaction_that_fails_is_not_submitted(store: Store) -> None:
    with pytest.raises(Refused):
        await submit_and_fail(store)
    assert await store.jobs.page(JobFilter(), limit=9) == []
    assert await claim(store) == []


async def test_a_job_runs_once_and_its_result_is_stored(store: Store) -> None:
    (job_id,) = await submit(store, job())
    (one,) = await claim(store)
    assert (one.job_id, one.attempt, one.attempts, one.payload) == (job_id, 1, 1, {"path": "/data/a.csv"})
    assert await claim(store) == []
    running = await store.jobs.job(job_id)
    assert (running.state, running.worker, running.attempts) == (JobState.RUNNING, "w1", 1)
    assert running.started_at is not None
    assert await store.worker_log.finish([ended(one, JobState.SUCCEEDED, result={"rows": 7})]) == [job_id]
    done = await store.jobs.job(job_id)
    assert (done.state, done.result, done.worker) == (JobState.SUCCEEDED, {"rows": 7}, "w1")
    assert done.ended_at is not None


async def test_success_commits_with_the_effect_or_not_at_all(store: Store) -> None:
    await submit(store, job())
    (one,) = await claim(store)

    async def work(tenant: str, *, fail: bool) -> None:
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.tenants.insert(tenant, tenant, "basic")
            await tx.jobs.succeed(one.job_id, one.attempt, {"made": tenant})
            if fail:
                raise Refused

    with pytest.raises(Refused):
        await work("first", fail=True)
    assert await state_of(store, one.job_id) is JobState.RUNNING
    await work("second", fail=False)
    assert (await store.jobs.job(one.job_id)).result == {"made": "second"}
    with pytest.raises(ClaimLost):
        await work("third", fail=False)
    stored = {tenant.tenant_id for tenant in await store.tenants.tenants(after=None, limit=100)}
    assert {"first", "second", "third"} & stored == {"second"}


async def test_an_attempt_that_was_replaced_can_record_nothing(store: Store) -> None:
    await submit(store, job())
    (old,) = await claim(store)
    await store.worker_log.finish([ended(old, JobState.QUEUED, handed_back=True)])
    (new,) = await claim(store, worker="w2")
    assert (new.attempt, new.attempts) == (2, 1)
    assert await store.worker_log.finish([ended(old, JobState.SUCCEEDED)]) == []
    with pytest.raises(ClaimLost):
        await store.worker_log.progress(old.job_id, old.attempt, Progress(1))
    with pytest.raises(ClaimLost):
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.jobs.succeed(old.job_id, old.attempt)
    assert await state_of(store, new.job_id) is JobState.RUNNING


async def test_an_attempt_before_a_retry_by_a_person_can_record_nothing(store: Store) -> None:
    await submit(store, job())
    (old,) = await claim(store)
    await store.worker_log.finish([ended(old, JobState.PARKED, reason="bad file", evidence={"kind": "Invalid"})])
    await retry(store, old.job_id)
    (new,) = await claim(store)
    assert (new.attempts, new.deaths, new.losses) == (1, 0, 0)
    assert await store.worker_log.finish([ended(old, JobState.SUCCEEDED)]) == []


@pytest.mark.parametrize(
    ("member", "new"),
    [
        ("payload", job(payload={"text": "a\x00b"})),
        ("payload", job(payload={"number": float("nan")})),
        ("payload", job(payload={"number": [float("-inf")]})),
        ("payload", job(payload={"half": "\ud800"})),
        ("payload", job(payload={"names": {1: 2}})),
        ("payload", job(payload={"object": NOW})),
        ("payload", job(payload={"long": "x" * LONGEST_JSON_BYTES})),
        ("priority", replace(job(), priority=10)),
        ("name", job("bad\x00name")),
        ("key", replace(job(), key="k" * 1001)),
        ("exclusive", replace(job(), exclusive="")),
        ("parent", replace(job(), parent="no id")),
        ("run_after", replace(job(), run_after=datetime(2026, 1, 1))),
    ],
)
async def test_a_job_that_cannot_be_stored_is_refused_by_the_member(store: Store, member: str, new: NewJob) -> None:
    with pytest.raises(InvalidJob) as refused:
        await submit(store, job(), new)
    assert refused.value.facts == {"member": member}
    assert await store.jobs.page(JobFilter(), limit=9) == []


async def test_a_text_with_a_backslash_before_u0000_is_not_a_nul_character(store: Store) -> None:
    payload = {"text": "\\u0000", "more": "\\\\u0000"}
    (job_id,) = await submit(store, job(payload=payload))
    assert (await store.jobs.job(job_id)).payload == payload


async def test_a_key_names_one_job_of_its_tenant(store: Store) -> None:
    first, again, other, without = await submit(
        store, replace(job(), key="k"), replace(job(), key="k"), replace(job(), key="k", tenant="acme"), job()
    )
    assert first == again
    assert len({first, other, without}) == 3
    assert await submit(store, replace(job("other"), key="k")) == [first]
    await store.worker_log.finish([ended(one, JobState.PARKED) for one in await claim(store)])
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.jobs.drop(first)
    assert await submit(store, replace(job(), key="k")) != [first]


async def test_jobs_start_by_priority_then_in_the_order_of_their_submission(store: Store) -> None:
    ids = await submit(store, *(replace(job(), priority=priority) for priority in (5, 9, 0, 5, 0)))
    started = [one.job_id for one in await claim(store)]
    assert started == [ids[n] for n in (2, 4, 0, 3, 1)]


async def test_tenants_share_the_places(store: Store) -> None:
    await submit(store, *(replace(job(), tenant="acme") for _ in range(6)), *(replace(job(), tenant="bolt") for _ in range(2)))
    await submit(store, job(), replace(job(), tenant="cove"))
    shares = [one.tenant for one in await claim(store, 4)]
    assert shares == ["acme", "bolt", "cove", None]
    assert [one.tenant for one in await claim(store, 3)] == ["acme", "bolt", "acme"]


async def test_a_single_place_goes_round_the_tenants(store: Store) -> None:
    await submit(store, *(replace(job(), tenant=tenant) for tenant in ("acme", "bolt", "cove") for _ in range(3)))
    served: list[str | None] = []
    for _ in range(9):
        (one,) = await claim(store, 1)
        served.append(one.tenant)
        await store.worker_log.finish([ended(one, JobState.SUCCEEDED)])
    assert served == ["acme", "bolt", "cove"] * 3


async def test_only_one_job_with_an_exclusive_text_runs_and_holds_up_no_other(store: Store) -> None:
    busy = [replace(job("fetch.day"), exclusive="fetch nyiso") for _ in range(50)]
    ids = await submit(store, *busy, job(), replace(job(), tenant="acme", exclusive="fetch nyiso"))
    first = await claim(store, 10)
    assert [one.job_id for one in first] == [ids[51], ids[50]]
    assert await claim(store, 10) == []
    await store.worker_log.finish([ended(first[0], JobState.SUCCEEDED)])
    assert [one.job_id for one in await claim(store, 10)] == [ids[0]]


async def test_an_exclusive_text_holds_across_queues(store: Store) -> None:
    await submit(store, replace(job(), exclusive="x"), replace(job(queue=Queue.MAINTENANCE), exclusive="x"))
    assert len(await claim(store)) == 1
    assert await claim(store, queue=Queue.MAINTENANCE) == []


async def test_a_worker_gets_jobs_of_its_queue_and_names_only(store: Store) -> None:
    ids = await submit(store, job("dbt.run"), job(queue=Queue.INTERACTIVE), job())
    assert [one.job_id for one in await claim(store)] == [ids[2]]
    assert [one.job_id for one in await claim(store, names=("dbt.run",))] == [ids[0]]
    assert await claim(store, names=()) == []
    assert await claim(store, 0, queue=Queue.INTERACTIVE) == []


async def test_a_delayed_job_starts_when_its_time_has_come(store: Store, let_pass: Pass) -> None:
    (job_id,) = await submit(store, replace(job(), run_after=SystemClock().now() + HOUR))
    assert await claim(store) == []
    async with store.worker_log.announcing(limit=9) as announced:
        assert announced == []
    await let_pass(2 * HOUR)
    assert [one.job_id for one in await claim(store)] == [job_id]


async def test_a_failed_attempt_is_followed_by_another_one_later(store: Store, let_pass: Pass) -> None:
    (job_id,) = await submit(store, job())
    (one,) = await claim(store)
    later = SystemClock().now() + HOUR
    await store.worker_log.finish(
        [ended(one, JobState.QUEUED, run_after=later, reason="busy", evidence={"kind": "Unavailable"})]
    )
    waiting = await store.jobs.job(job_id)
    assert (waiting.state, waiting.run_after, waiting.reason, waiting.worker) == (JobState.QUEUED, later, "busy", None)
    assert waiting.evidence == {"kind": "Unavailable"}
    assert await claim(store) == []
    await let_pass(2 * HOUR)
    (again,) = await claim(store)
    assert (again.attempt, again.attempts) == (2, 2)


async def test_a_job_that_ends_its_process_three_times_is_parked(store: Store) -> None:
    (job_id,) = await submit(store, job())
    for death in range(1, MOST_DEATHS + 1):
        (one,) = await claim(store)
        await store.worker_log.finish([ended(one, JobState.QUEUED, died=True, reason="signal 6", evidence={"signal": 6})])
        assert (await store.jobs.job(job_id)).deaths == death
    parked = await store.jobs.job(job_id)
    assert (parked.state, parked.reason, parked.evidence) == (JobState.PARKED, "signal 6", {"signal": 6})
    assert await claim(store) == []


async def test_what_a_process_wrote_is_stored_though_it_is_not_text(store: Store) -> None:
    await submit(store, job(), job())
    one, other = await claim(store)
    evidence = {"stderr": "a\x00b\ud800", "peak": float("inf")}
    await store.worker_log.finish(
        [
            ended(one, JobState.PARKED, reason="a\x00b\ud800", evidence={"stderr": "a\x00b\ud800"}),
            ended(other, JobState.PARKED, evidence=evidence),
        ]
    )
    stored = await store.jobs.job(one.job_id)
    assert (stored.reason, stored.evidence) == ("a\ufffdb?", {"stderr": "a\ufffdb?"})
    assert "dropped" in (await store.jobs.job(other.job_id)).evidence


async def test_a_result_that_is_not_json_parks_the_job_and_refuses_success(store: Store) -> None:
    await submit(store, job(), job())
    one, other = await claim(store)
    done = await store.worker_log.finish(
        [
            ended(one, JobState.SUCCEEDED, result={"x": float("nan")}),
            ended(other, JobState.SUCCEEDED),
        ]
    )
    assert set(done) == {one.job_id, other.job_id}
    parked = await store.jobs.job(one.job_id)
    assert (parked.state, parked.result) == (JobState.PARKED, None)
    assert "JSON" in parked.reason
    await submit(store, job())
    (third,) = await claim(store)
    with pytest.raises(InvalidJob):
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.jobs.succeed(third.job_id, third.attempt, {"x": b"bytes"})
    assert await state_of(store, third.job_id) is JobState.RUNNING


async def test_jobs_of_a_silent_worker_are_queued_again(store: Store, let_pass: Pass) -> None:
    (job_id,) = await submit(store, job())
    (old,) = await claim(store)
    assert await store.worker_log.recover(silent_for_s=60.0) == []
    await let_pass(HOUR)
    await claim(store, worker="w2")
    assert [entry.worker for entry in await store.jobs.workers()] == ["w1", "w2"]
    assert await store.worker_log.recover(silent_for_s=60.0) == [job_id]
    lost = await store.jobs.job(job_id)
    assert (lost.state, lost.losses, lost.deaths, lost.reason) == (JobState.QUEUED, 1, 0, "worker w1 vanished")
    assert lost.evidence["worker"] == "w1"
    assert [entry.worker for entry in await store.jobs.workers()] == ["w2"]
    assert await store.worker_log.finish([ended(old, JobState.SUCCEEDED)]) == []
    (new,) = await claim(store, worker="w2")
    assert (new.attempt, new.losses) == (2, 1)


async def test_a_job_that_was_lost_ten_times_is_parked(store: Store, let_pass: Pass) -> None:
    (job_id,) = await submit(store, job())
    for loss in range(1, MOST_LOSSES + 1):
        assert len(await claim(store)) == 1
        await let_pass(HOUR)
        await store.worker_log.recover(silent_for_s=60.0)
        assert (await store.jobs.job(job_id)).losses == loss
    assert await state_of(store, job_id) is JobState.PARKED


async def test_a_lost_job_is_claimed_alone_and_its_next_losses_are_deaths(store: Store, let_pass: Pass) -> None:
    (lost_id,) = await submit(store, job())
    await claim(store)
    await let_pass(HOUR)
    await store.worker_log.recover(silent_for_s=60.0)
    first, second = await submit(store, job(), job())
    others = await claim(store, lost=Lost.LEFT)
    assert [one.job_id for one in others] == [first, second]
    await store.worker_log.finish([ended(one, JobState.SUCCEEDED) for one in others])
    for death in range(1, MOST_DEATHS + 1):
        assert await store.worker_log.has_lost("bulk", names=("ingest.file",))
        assert [one.job_id for one in await claim(store, lost=Lost.ALONE)] == [lost_id]
        assert await claim(store, lost=Lost.ALONE) == []
        assert not await store.worker_log.has_lost("bulk", names=("ingest.file",))
        await let_pass(HOUR)
        await store.worker_log.recover(silent_for_s=60.0)
        assert (await store.jobs.job(lost_id)).deaths == death
    assert await state_of(store, lost_id) is JobState.PARKED


async def test_a_queued_job_is_cancelled_at_once(store: Store) -> None:
    (job_id,) = await submit(store, job())
    assert (await cancel(store, job_id)).state is JobState.CANCELLED
    assert await claim(store) == []
    with pytest.raises(JobHasEnded):
        await cancel(store, job_id)
    with pytest.raises(UnknownJob):
        await cancel(store, UNKNOWN)


async def test_a_running_job_is_asked_to_end(store: Store) -> None:
    await submit(store, job(), job())
    one, other = await claim(store)
    requested = await cancel(store, one.job_id)
    assert (requested.state, requested.cancel_requested_at is None) == (JobState.RUNNING, False)
    assert await store.worker_log.held("w1") == [
        Held(one.job_id, one.attempt, is_cancelled=True),
        Held(other.job_id, other.attempt, is_cancelled=False),
    ]
    assert await store.worker_log.held("w2") == []
    assert (await cancel(store, one.job_id)).cancel_requested_at == requested.cancel_requested_at
    await store.worker_log.finish([ended(one, JobState.QUEUED, reason="failed meanwhile")])
    assert await state_of(store, one.job_id) is JobState.CANCELLED


async def test_a_job_that_succeeds_before_it_is_ended_has_succeeded(store: Store) -> None:
    await submit(store, job())
    (one,) = await claim(store)
    await cancel(store, one.job_id)
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.jobs.succeed(one.job_id, one.attempt)
    assert await state_of(store, one.job_id) is JobState.SUCCEEDED
    assert await store.worker_log.held("w1") == []


async def test_a_cancelled_job_of_a_silent_worker_does_not_run_again(store: Store, let_pass: Pass) -> None:
    (job_id,) = await submit(store, job())
    await claim(store)
    await cancel(store, job_id)
    await let_pass(HOUR)
    await store.worker_log.recover(silent_for_s=60.0)
    assert await state_of(store, job_id) is JobState.CANCELLED


async def test_parked_and_cancelled_jobs_can_be_retried_and_parked_ones_dropped(store: Store) -> None:
    queued, cancelled = await submit(store, job(), job())
    (one,) = await claim(store, 1)
    for call in (retry,):
        with pytest.raises(JobNotParked):
            await call(store, one.job_id)
    await cancel(store, cancelled)
    assert (await retry(store, cancelled)).state is JobState.QUEUED
    await store.worker_log.finish([ended(one, JobState.PARKED, reason="bad", evidence={"kind": "Invalid"}, died=True)])
    retried = await retry(store, queued)
    assert (retried.state, retried.attempts, retried.deaths, retried.reason) == (JobState.QUEUED, 0, 0, "")
    with pytest.raises(JobNotParked):
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.jobs.drop(queued)
    started = await claim(store)
    await store.worker_log.finish([ended(one, JobState.PARKED) for one in started])
    async with store.transactions.transaction(by=OPERATOR) as tx:
        assert (await tx.jobs.drop(queued)).job_id == queued
    with pytest.raises(UnknownJob):
        await store.jobs.job(queued)


async def test_jobs_without_a_definition_are_parked_after_a_while(store: Store, let_pass: Pass) -> None:
    gone, known = await submit(store, job("removed.job"), job())
    names = ["ingest.file"]
    assert await store.worker_log.park_unknown(names=names, queued_for_s=60.0) == []
    await let_pass(HOUR)
    assert await store.worker_log.park_unknown(names=names, queued_for_s=60.0) == [gone]
    assert "removed.job" in (await store.jobs.job(gone)).reason
    assert await state_of(store, known) is JobState.QUEUED


async def test_progress_is_shown_while_a_job_runs(store: Store) -> None:
    (job_id,) = await submit(store, job())
    (one,) = await claim(store)
    await store.worker_log.progress(job_id, one.attempt, Progress(3, 10, "day 3\x00"))
    assert (await store.jobs.job(job_id)).progress == Progress(3, 10, "day 3\ufffd")


async def test_new_jobs_are_announced_once(store: Store) -> None:
    ids = await submit(store, job(), job(queue=Queue.INTERACTIVE), job())

    async def fail() -> None:
        async with store.worker_log.announcing(limit=2) as announced:
            assert [one.job_id for one in announced] == ids[:2]
            raise Refused

    with pytest.raises(Refused):
        await fail()
    async with store.worker_log.announcing(limit=2) as announced:
        assert [(one.job_id, one.queue) for one in announced] == [(ids[0], "bulk"), (ids[1], "interactive")]
    await claim(store)
    async with store.worker_log.announcing(limit=9) as announced:
        assert announced == []


async def test_jobs_can_be_claimed_while_they_are_announced(store: Store) -> None:
    ids = await submit(store, job())
    async with store.worker_log.announcing(limit=9) as announced:
        assert [one.job_id for one in announced] == ids
        assert [one.job_id for one in await claim(store)] == ids


async def test_a_retried_job_is_announced_again(store: Store) -> None:
    (job_id,) = await submit(store, job())
    async with store.worker_log.announcing(limit=9):
        pass
    (one,) = await claim(store)
    await store.worker_log.finish([ended(one, JobState.QUEUED)])
    async with store.worker_log.announcing(limit=9) as announced:
        assert [one.job_id for one in announced] == [job_id]


async def test_queues_with_jobs_that_no_worker_starts_are_named(store: Store, let_pass: Pass) -> None:
    await submit(store, job(), job(queue=Queue.INTERACTIVE))
    await let_pass(HOUR)
    assert await store.worker_log.unclaimed(for_s=60.0) == []
    async with store.worker_log.announcing(limit=9):
        pass
    assert await store.worker_log.unclaimed(for_s=60.0) == []
    await let_pass(HOUR)
    assert await store.worker_log.unclaimed(for_s=60.0) == ["bulk", "interactive"]
    await claim(store)
    assert await store.worker_log.unclaimed(for_s=60.0) == ["interactive"]


async def test_listeners_hear_of_new_jobs_and_cancellations_when_they_commit(store: Store) -> None:
    async with store.worker_log.listen() as notices:
        with pytest.raises(Refused):
            await submit_and_fail(store)
        (job_id,) = await submit(store, job())
        assert await anext(notices) == Notice()
        await claim(store)
        await cancel(store, job_id)
        assert await anext(notices) == Notice(job_id)


async def test_jobs_are_listed_the_newest_first_by_filter(store: Store) -> None:
    ids = await submit(store, job(), replace(job(queue=Queue.INTERACTIVE), tenant="acme"), job("fetch.day"))
    children = await submit(store, replace(job(), parent=ids[0]))
    (one,) = await claim(store, 1)
    await store.worker_log.finish([ended(one, JobState.PARKED)])

    async def listed(wanted: JobFilter, limit: int = 9) -> list[str]:
        return [one.job_id for one in await store.jobs.page(wanted, limit=limit)]

    assert await listed(JobFilter()) == [*children, *reversed(ids)]
    assert await listed(JobFilter(tenant="acme")) == [ids[1]]
    assert await listed(JobFilter(tenant="bolt")) == []
    assert await listed(JobFilter(queue="interactive")) == [ids[1]]
    assert await listed(JobFilter(name="fetch.day")) == [ids[2]]
    assert await listed(JobFilter(states=(JobState.PARKED,))) == [one.job_id]
    assert await listed(JobFilter(states=(JobState.QUEUED, JobState.RUNNING), queue="bulk")) == [*children, ids[2]]
    assert await listed(JobFilter(parent=ids[0])) == children
    assert await listed(JobFilter(parent="no id")) == []
    page = await store.jobs.page(JobFilter(), limit=2)
    rest = await store.jobs.page(JobFilter(), before=(page[-1].submitted_at, page[-1].job_id), limit=9)
    assert [one.job_id for one in [*page, *rest]] == [*children, *reversed(ids)]


async def test_queues_are_counted(store: Store) -> None:
    delayed = replace(job(), run_after=SystemClock().now() + HOUR)
    await submit(store, *(job() for _ in range(4)), delayed, replace(job(), queue="other"))
    first, second = await claim(store, 2)
    await store.worker_log.finish([ended(first, JobState.PARKED)])
    counts = {one.queue: one for one in await store.jobs.counts()}
    oldest = (await store.jobs.page(JobFilter(states=(JobState.QUEUED,), queue="bulk"), limit=9))[-1].run_after
    assert list(counts) == ["bulk", "interactive", "maintenance", "other"]
    assert counts["bulk"] == QueueCounts("bulk", 2, 1, 1, 1, oldest)
    assert counts["interactive"] == QueueCounts("interactive", 0, 0, 0, 0, None)
    assert counts["other"].waiting == 1
    await store.worker_log.finish([ended(second, JobState.SUCCEEDED)])


async def test_queues_are_counted_for_one_tenant(store: Store) -> None:
    await submit(store, *(replace(job(), tenant=tenant) for tenant in ("acme", "acme", "bolt", None)))
    counts = {one.queue: one for one in await store.jobs.counts(tenant="acme")}
    assert (list(counts), counts["bulk"].waiting) == (["bulk", "interactive", "maintenance"], 2)


async def test_many_jobs_are_read_at_once(store: Store) -> None:
    ids = await submit(store, *(replace(job(), tenant=tenant) for tenant in ("acme", "bolt", None)))
    assert {one.job_id for one in await store.jobs.jobs([*ids, UNKNOWN, "no id"])} == set(ids)
    assert await store.jobs.jobs([]) == []


async def test_a_tenant_sees_and_changes_its_own_jobs_only(store: Store) -> None:
    own, other, platform = await submit(store, replace(job(), tenant="acme"), replace(job(), tenant="bolt"), job())
    assert (await store.jobs.job(own, tenant="acme")).job_id == own
    for hidden in (other, platform, UNKNOWN, "no id"):
        with pytest.raises(UnknownJob):
            await store.jobs.job(hidden, tenant="acme")
        with pytest.raises(UnknownJob):
            async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
                await tx.jobs.cancel(hidden)
    for tenant in ("bolt", None):
        with pytest.raises(OtherTenant):
            async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
                await tx.jobs.submit([replace(job(), tenant=tenant)])
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        (made,) = await tx.jobs.submit([replace(job(), tenant="acme", key="k")])
        assert await tx.jobs.submit([replace(job(), tenant="acme", key="k")]) == [made]
        await tx.jobs.cancel(own)
    (claimed,) = [one for one in await claim(store) if one.job_id == made]
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        await tx.jobs.succeed(claimed.job_id, claimed.attempt)
    with pytest.raises(ClaimLost):
        async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
            await tx.jobs.succeed(other, 1)


async def test_jobs_that_ended_long_ago_are_deleted(store: Store, let_pass: Pass) -> None:
    await submit(store, *(job() for _ in range(4)))
    one, two, three, _ = await claim(store)
    await store.worker_log.finish(
        [ended(one, JobState.SUCCEEDED), ended(two, JobState.SUCCEEDED), ended(three, JobState.PARKED)]
    )
    await let_pass(HOUR)

    async def delete(limit: int) -> int:
        async with store.transactions.transaction(by=OPERATOR) as tx:
            return await tx.jobs.delete_ended(before=SystemClock().now() - HOUR / 2, limit=limit)

    assert [await delete(1), await delete(9), await delete(9)] == [1, 1, 0]
    assert len(await store.jobs.page(JobFilter(), limit=9)) == 2


async def test_workers_are_listed_with_their_jobs_until_they_leave(store: Store) -> None:
    await submit(store, job(), job())
    await store.worker_log.heartbeat("w1", facts={"host": "a"})
    await store.worker_log.heartbeat("w2", facts={"host": "b"})
    await store.worker_log.heartbeat("w2", facts={"host": "c"})
    await claim(store, worker="w1")
    first, second = await store.jobs.workers()
    assert (first.worker, first.running, second.worker, second.facts, second.running) == ("w1", 2, "w2", {"host": "c"}, 0)
    await store.worker_log.leave("w2")
    assert [entry.worker for entry in await store.jobs.workers()] == ["w1"]
