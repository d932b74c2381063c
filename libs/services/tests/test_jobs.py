"""Jobs as people use them: submitted, seen, cancelled, retried, dropped and followed."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from aurum.common.telemetry.work import CarriedWork, current_work
from aurum.core.access import LOCAL, Caller, MissingScope, Permission
from aurum.core.errors import InvalidParameters, Unavailable
from aurum.core.jobs.states import JobState, Queue
from aurum.services.jobs.control import cancel_job, drop_job, retry_job
from aurum.services.jobs.definition import Definition, Definitions, Payload
from aurum.services.jobs.definitions import default_definitions
from aurum.services.jobs.events import LOOK_EVERY_S, JobEvent, event_of, follow, mark_of
from aurum.services.jobs.listing import visible_tenant
from aurum.services.jobs.submit import NotForClients, create_job, new_job, submit
from aurum.services.quality import NothingQuarantined
from aurum.services.quality.replay import replay_later
from aurum.storage.ports.access import Actor
from aurum.storage.ports.jobs import Job, JobHasEnded, JobNotParked, Outcome, Progress, UnknownJob
from aurum.storage.testing.stores import Store

TRADER = Actor("key:desk", "acme", "request-1", "127.0.0.1")
FETCH = {"source": "nyiso", "dataset": "damlbmp_zone", "day": "2025-11-02"}
UNKNOWN = "01234567-89ab-7def-8123-456789abcdef"


class Numbers(Payload):
    """Arguments of an invented job."""

    count: int


DEFINITIONS = Definitions(
    {
        one.name: one
        for one in (
            Definition("count.numbers", Numbers, "Count.", Queue.INTERACTIVE, permission=Permission.SCENARIOS_RUN, priority=2),
            Definition("own.work", Numbers, "Only Aurum does this.", Queue.MAINTENANCE, permission=None),
            *default_definitions().by_name.values(),
        )
    }
)


async def create(
    store: Store,
    name: str = "count.numbers",
    payload: Mapping[str, object] | None = None,
    *,
    tenant: str | None = "acme",
    may: frozenset[Permission] = LOCAL.scopes,
    key: str | None = None,
) -> str:
    arguments = payload if payload is not None else {"count": 3}
    return await create_job(store.transactions, DEFINITIONS, name, arguments, by=TRADER, tenant=tenant, may=may, key=key)


async def claimed(store: Store, queue: Queue = Queue.INTERACTIVE) -> int:
    """Start the only waiting job of a queue and return the number of its attempt."""
    await store.worker_log.heartbeat("w", facts={})
    (claim,) = await store.worker_log.claim("w", queue, names=list(DEFINITIONS.by_name), limit=9)
    return claim.attempt


async def end(store: Store, job_id: str, state: JobState, *, queue: Queue = Queue.INTERACTIVE, reason: str = "") -> None:
    outcome = Outcome(job_id, await claimed(store, queue), state, {"count": 3}, reason, {"kind": "Bug"} if reason else {})
    assert await store.worker_log.finish([outcome]) == [job_id]


async def test_a_job_belongs_to_the_tenant_of_its_creator_and_one_for_operators_to_the_platform(store: Store) -> None:
    own = await store.jobs.job(await create(store))
    assert (own.tenant, own.subject, own.queue, own.priority) == ("acme", "key:desk", "interactive", 2)
    assert (own.payload, own.state) == ({"count": 3}, JobState.QUEUED)
    platform = await store.jobs.job(await create(store, "fetch.day", FETCH))
    assert (platform.tenant, platform.queue, platform.payload) == (None, "bulk", FETCH)
    records = await store.audit.page(before=None, limit=9)
    assert [(one.action, one.target, one.tenant) for one in records] == [
        ("job.create", platform.job_id, "acme"),
        ("job.create", own.job_id, "acme"),
    ]
    assert records[0].detail == {"name": "fetch.day", "payload": FETCH}


async def test_a_job_needs_the_permission_of_its_definition(store: Store) -> None:
    with pytest.raises(MissingScope) as caught:
        await create(store, "fetch.day", FETCH, may=frozenset({Permission.JOBS_RUN}))
    assert caught.value.facts["scope"] == "admin:write"
    with pytest.raises(NotForClients):
        await create(store, "own.work")
    with pytest.raises(InvalidParameters, match="belong to a tenant"):
        await create(store, tenant=None)
    assert await store.audit.page(before=None, limit=9) == []


@pytest.mark.parametrize(
    ("name", "payload", "field"),
    [
        ("fetch.dya", FETCH, "name"),
        ("fetch.day", {**FETCH, "day": "20251102"}, "payload.day"),
        ("fetch.day", {**FETCH, "day": 1_762_041_600}, "payload.day"),
        ("fetch.day", {"source": "nyiso", "dataset": "damlbmp_zone"}, "payload.day"),
        ("fetch.day", {**FETCH, "hour": 3}, "payload.hour"),
        ("fetch.day", {**FETCH, "source": "\x00"}, "payload"),
        ("ingest.file", {"path": "here.csv"}, "payload.path"),
        ("quarantine.replay", {"digest": "no digest"}, "payload.digest"),
        ("dbt.run", {"verb": "destroy"}, "payload.verb"),
        ("count.numbers", {"count": float("inf")}, "payload"),
    ],
)
async def test_a_payload_that_fits_no_definition_is_refused_by_name(
    store: Store, name: str, payload: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidParameters) as caught:
        await create(store, name, payload)
    errors = caught.value.facts["errors"]
    assert isinstance(errors, list)
    assert [one["field"] for one in errors] == [field]
    if field == "name":
        assert "fetch.day" in caught.value.detail


async def test_a_key_creates_one_job(store: Store) -> None:
    first = await create(store, key="request a")
    assert await create(store, key="request a") == first
    assert await create(store, key="request b") != first


async def test_many_jobs_are_submitted_with_one_record(store: Store) -> None:
    definition = DEFINITIONS["count.numbers"]
    jobs = [new_job(definition, Numbers(count=number), subject="operator") for number in range(3)]
    async with store.transactions.transaction(by=TRADER) as tx:
        assert await submit(tx, []) == []
        ids = await submit(tx, jobs)
    assert [(await store.jobs.job(one)).payload["count"] for one in ids] == [0, 1, 2]
    (record,) = await store.audit.page(before=None, limit=9)
    assert (record.action, record.target) == ("job.create", "count.numbers")
    assert record.detail == {"count": 3, "first": ids[0], "last": ids[2]}


async def test_a_job_carries_the_trace_and_the_log_fields_of_its_request(store: Store) -> None:
    token = current_work.set(CarriedWork({"request_id": "request-1", "tenant": "acme"}))
    try:
        with TracerProvider().get_tracer("test").start_as_current_span("request") as span:
            job = await store.jobs.job(await create(store))
            trace_id = trace.format_trace_id(span.get_span_context().trace_id)
    finally:
        current_work.reset(token)
    assert job.carried["asked_by"] == {"request_id": "request-1", "tenant": "acme"}
    assert trace_id in str(job.carried["traceparent"])


async def test_a_file_in_quarantine_is_replayed_by_a_job_on_record(store: Store) -> None:
    with pytest.raises(NothingQuarantined):
        await replay_later(store.transactions, store.quality, "f" * 64, by=TRADER)
    assert await store.audit.page(before=None, limit=9) == []


async def test_a_queued_job_is_cancelled_at_once_and_one_that_has_ended_not_at_all(store: Store) -> None:
    job_id = await create(store)
    cancelled = await cancel_job(store.transactions, job_id, by=TRADER, tenant="acme")
    assert cancelled.state is JobState.CANCELLED
    with pytest.raises(JobHasEnded):
        await cancel_job(store.transactions, job_id, by=TRADER, tenant="acme")
    (record, _) = await store.audit.page(before=None, limit=9)
    assert (record.action, record.target, record.detail) == (
        "job.cancel",
        job_id,
        {"name": "count.numbers", "state": "cancelled"},
    )


async def test_a_running_job_is_asked_to_end(store: Store) -> None:
    job_id = await create(store)
    await claimed(store)
    job = await cancel_job(store.transactions, job_id, by=TRADER, tenant="acme")
    assert (job.state, job.cancel_requested_at is not None) == (JobState.RUNNING, True)


async def test_a_parked_job_is_retried_or_dropped(store: Store) -> None:
    job_id = await create(store)
    with pytest.raises(JobNotParked):
        await retry_job(store.transactions, job_id, by=TRADER, tenant="acme")
    with pytest.raises(JobNotParked):
        await drop_job(store.transactions, job_id, by=TRADER, tenant="acme")
    await end(store, job_id, JobState.PARKED, reason="the file is empty")
    again = await retry_job(store.transactions, job_id, by=TRADER, tenant="acme")
    assert (again.state, again.attempts) == (JobState.QUEUED, 0)
    await end(store, job_id, JobState.PARKED, reason="it is still empty")
    dropped = await drop_job(store.transactions, job_id, by=TRADER, tenant="acme")
    assert dropped.job_id == job_id
    with pytest.raises(UnknownJob):
        await store.jobs.job(job_id)
    dropping, retrying, _ = await store.audit.page(before=None, limit=9)
    assert (dropping.action, dropping.detail["payload"], dropping.detail["reason"]) == (
        "job.drop",
        {"count": 3},
        "it is still empty",
    )
    assert (retrying.action, retrying.target) == ("job.retry", job_id)


@pytest.mark.parametrize("act", [cancel_job, retry_job, drop_job])
async def test_the_job_of_another_tenant_or_of_the_platform_is_unknown(store: Store, act: object) -> None:
    others = [await create(store), await create(store, "fetch.day", FETCH), UNKNOWN, "no id"]
    for job_id in others:
        with pytest.raises(UnknownJob):
            await act(store.transactions, job_id, by=TRADER, tenant="bolt")  # type: ignore[operator] - a use case
    assert [one.action for one in await store.audit.page(before=None, limit=9)] == ["job.create", "job.create"]


def test_a_caller_reaches_the_jobs_of_its_own_tenant_and_with_admin_write_all() -> None:
    user = Caller("acme", "key:1", frozenset({Permission.JOBS_READ}))
    assert visible_tenant(user) == visible_tenant(user, "acme") == "acme"
    with pytest.raises(MissingScope):
        visible_tenant(user, "bolt")
    assert (visible_tenant(LOCAL), visible_tenant(LOCAL, "bolt")) == (None, "bolt")


async def test_a_job_is_followed_until_it_has_ended(store: Store) -> None:
    job_id = await create(store)
    pauses: list[float] = []

    async def work(seconds: float) -> None:
        """The next step of the job, while the follower pauses."""
        pauses.append(seconds)
        match len(pauses):
            case 1:
                await claimed(store)
            case 2:
                await store.worker_log.progress(job_id, 1, Progress(1, 3, "first"))
            case 3:
                pass
            case _:
                await store.worker_log.finish([Outcome(job_id, 1, JobState.SUCCEEDED, {"count": 3})])

    seen = [(str(event), job.state, job.progress) async for event, job in follow(store.jobs, job_id, pause=work)]
    progress = Progress(1, 3, "first")
    assert seen[:3] == [
        ("state", JobState.QUEUED, None),
        ("state", JobState.RUNNING, None),
        ("progress", JobState.RUNNING, progress),
    ]
    assert [one[:2] for one in seen[3:]] == [("state", JobState.SUCCEEDED)]
    assert pauses == [LOOK_EVERY_S] * 4


async def test_following_ends_when_the_job_is_gone_and_needs_its_tenant(store: Store) -> None:
    job_id = await create(store)
    with pytest.raises(UnknownJob):
        await anext(follow(store.jobs, job_id, tenant="bolt"))
    await end(store, job_id, JobState.PARKED, reason="empty")
    seen = [job.state async for _, job in follow(store.jobs, job_id, tenant="acme")]
    assert seen == [JobState.PARKED]


async def test_marks_differ_with_what_a_follower_sees(store: Store) -> None:
    job_id = await create(store)
    marks: list[str] = []
    jobs: list[Job] = []

    async def look() -> None:
        jobs.append(await store.jobs.job(job_id))
        marks.append(mark_of(jobs[-1]))

    await look()
    await claimed(store)
    await look()
    await store.worker_log.progress(job_id, 1, Progress(1))
    await look()
    await cancel_job(store.transactions, job_id, by=TRADER, tenant=None)
    await look()
    assert len(set(marks)) == 4
    assert mark_of(await store.jobs.job(job_id)) == marks[-1]
    assert [event_of(now, before) for before, now in pairwise(jobs)] == [
        JobEvent.STATE,
        JobEvent.PROGRESS,
        JobEvent.STATE,
    ]
    assert event_of(jobs[0], jobs[0]) is None


async def test_a_store_that_does_not_answer_ends_the_follower_with_the_reason() -> None:
    class Away:
        async def job(self, job_id: str, *, tenant: str | None = None) -> Job:
            raise Unavailable("the store does not answer")

    with pytest.raises(Unavailable):
        await anext(follow(Away(), UNKNOWN))  # type: ignore[arg-type] - it needs no more
