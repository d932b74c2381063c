"""The push of jobs to the streams of one process, over a store in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import pytest
from api_events import Event, Parser, events_in

from aurum.api.process.background import background
from aurum.api.push import jobs as push
from aurum.api.push.jobs import JobHub
from aurum.common.clock import SystemClock
from aurum.common.settings import ChangesSettings
from aurum.core.access import EVERY_PERMISSION, LOCAL, Caller
from aurum.core.errors import Unavailable
from aurum.core.jobs.states import JobState, Queue
from aurum.services.jobs.events import mark_of
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import Actor
from aurum.storage.ports.changes import Change, ChangeKind
from aurum.storage.ports.jobs import Job, NewJob, Outcome, Progress
from aurum.storage.testing.waiting import wait_until

CALLER = Caller("acme", "key:1", EVERY_PERMISSION)


class CountingLog:
    """A log that counts its reads, some of which fail."""

    def __init__(self, store: MemoryStore) -> None:
        self._log = store.jobs
        self.looks: list[int] = []
        self.failures: list[Exception] = []

    async def jobs(self, job_ids: Sequence[str]) -> Sequence[Job]:
        self.looks.append(len(job_ids))
        if self.failures:
            raise self.failures.pop()
        return await self._log.jobs(job_ids)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    monkeypatch.setattr(push, "LOOK_EVERY_S", 0.001)
    return MemoryStore(SystemClock())


async def queued(store: MemoryStore) -> Job:
    async with store.transactions.transaction(by=Actor("test")) as tx:
        (job_id,) = await tx.jobs.submit([NewJob("fetch.day", {}, Queue.BULK)])
    return await store.jobs.job(job_id)


async def start(store: MemoryStore) -> int:
    await store.worker_log.heartbeat("w", facts={})
    (claim,) = await store.worker_log.claim("w", Queue.BULK, names=["fetch.day"], limit=9)
    return claim.attempt


@asynccontextmanager
async def running(hub: JobHub) -> AsyncIterator[None]:
    async with background(hub.run()):
        yield


async def next_event(stream: AsyncGenerator[bytes], parser: Parser) -> Event:
    while True:
        if events := events_in(await anext(stream), parser):
            return events[0]


async def test_all_streams_of_a_process_are_served_by_one_read(store: MemoryStore) -> None:
    log, job = CountingLog(store), await queued(store)
    hub = JobHub(log, ChangesSettings())  # type: ignore[arg-type] - it needs no more
    streams = [hub.stream(job, LOCAL, seen=None) for _ in range(50)]
    parsers = [Parser() for _ in streams]
    async with running(hub):
        first = [await next_event(one, parser) for one, parser in zip(streams, parsers, strict=True)]
        assert {one.data["state"] for one in first} == {"queued"}
        await start(store)
        second = [await next_event(one, parser) for one, parser in zip(streams, parsers, strict=True)]
        assert {one.data["state"] for one in second} == {"running"}
        for one in streams:
            await one.aclose()
        looks = len(log.looks)
        await asyncio.sleep(0.05)
        assert len(log.looks) <= looks + 1, "nothing is read while no client watches"
    assert set(log.looks) == {1}


async def test_a_slow_client_gets_the_present_state_and_the_end(store: MemoryStore) -> None:
    job = await queued(store)
    hub, parser = JobHub(store.jobs, ChangesSettings()), Parser()
    async with running(hub), aclosing(hub.stream(job, LOCAL, seen=None)) as stream:
        await next_event(stream, parser)
        attempt = await start(store)
        for done in range(100):
            await store.worker_log.progress(job.job_id, attempt, Progress(done, 100))
        await store.worker_log.finish([Outcome(job.job_id, attempt, JobState.SUCCEEDED, {"new": 1})])
        last = [event for data in [one async for one in stream] for event in events_in(data, parser)]
    assert last[-1].data["state"] == "succeeded"
    assert len(last) <= 3
    assert last[-1].id == mark_of(await store.jobs.job(job.job_id))


async def test_a_store_that_does_not_answer_ends_no_stream(store: MemoryStore) -> None:
    log, job, parser = CountingLog(store), await queued(store), Parser()
    hub = JobHub(log, ChangesSettings(comment_s=0.001))  # type: ignore[arg-type] - it needs no more
    async with running(hub), aclosing(hub.stream(job, LOCAL, seen=None)) as stream:
        await next_event(stream, parser)
        log.failures = [Unavailable("away"), ValueError("a bug"), Unavailable("away")]
        await wait_until(lambda: not log.failures, "the failures")
        await start(store)
        assert (await next_event(stream, parser)).data["state"] == "running"


@pytest.mark.parametrize("is_before", [True, False])
async def test_streams_end_when_the_process_drains(store: MemoryStore, is_before: bool) -> None:
    job, parser = await queued(store), Parser()
    hub = JobHub(store.jobs, ChangesSettings())
    if is_before:
        hub.drain()
    async with aclosing(hub.stream(job, CALLER, seen=None)) as stream:
        assert events_in(await anext(stream), parser) == []
        if not is_before:
            await next_event(stream, parser)
            hub.drain()
        rest = [one async for one in stream]
    assert (len(rest), len(parser.retry_ms)) == (1, 1)


async def test_streams_of_keys_end_when_access_changes_and_those_of_an_open_service_do_not(store: MemoryStore) -> None:
    job = await queued(store)
    hub = JobHub(store.jobs, ChangesSettings(comment_s=0.001))
    async with (
        aclosing(hub.stream(job, CALLER, seen=None)) as keyed,
        aclosing(hub.stream(job, LOCAL, seen=mark_of(job))) as local,
    ):
        await next_event(keyed, Parser())
        await anext(local)
        hub.changed(Change(ChangeKind.ACCESS, ()))
        assert [one async for one in keyed] != []
        assert await anext(local) == b":\n\n"
