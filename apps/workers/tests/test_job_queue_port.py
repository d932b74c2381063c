"""The job queue port against Dramatiq itself, which reads the messages of the port and parks those that fail."""

from __future__ import annotations

from collections.abc import AsyncIterator

import dramatiq
import pytest
import pytest_asyncio
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Retries
from redis.asyncio import Redis

from aurum.common.clock import SystemClock
from aurum.common.resilience.breaker import Breaker
from aurum.common.resilience.errors import CircuitOpen
from aurum.common.settings.resilience import ResilienceSettings
from aurum.core.errors import NotFound, Unavailable
from aurum.storage.ports.jobs import JobQueue, QueueUnavailable
from aurum.storage.redis.job_queue import RedisJobQueue
from aurum.storage.testing.waiting import wait_until_blocking


@pytest.fixture(scope="module")
def url(queue_url: str) -> str:
    return queue_url


@pytest_asyncio.fixture(loop_scope="session")
async def queue(url: str) -> AsyncIterator[JobQueue]:
    client = Redis.from_url(url)
    await client.flushdb()
    yield RedisJobQueue(client, SystemClock(), breaker())
    await client.aclose()


def breaker() -> Breaker:
    return Breaker("job queue", ResilienceSettings(breaker_failures=2), counts=(QueueUnavailable,))


def work(url: str, done: list[dict[str, object]], *, fail: bool) -> None:
    """Run a worker until the queue is empty."""
    broker = RedisBroker(url=url, middleware=[Retries(max_retries=0)])

    def perform(**payload: object) -> None:
        if fail:
            raise ValueError("the job fails")
        done.append(payload)

    dramatiq.Actor(perform, broker=broker, actor_name="ingest.file", queue_name="ingest", priority=0, options={})
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=50)
    worker.start()
    wait_until_blocking(lambda: not broker.client.llen("dramatiq:ingest") and not broker.client.keys("dramatiq:__acks__.*"))
    worker.stop()
    broker.close()


async def test_a_worker_runs_a_queued_job(queue: JobQueue, url: str) -> None:
    await queue.put("ingest.file", {"path": "/a.csv"}, queue="ingest")
    (state,) = await queue.queues()
    assert (state.name, state.waiting, state.delayed, state.parked) == ("ingest", 1, 0, 0)
    done: list[dict[str, object]] = []
    work(url, done, fail=False)
    assert done == [{"path": "/a.csv"}]


async def test_a_failed_job_is_parked_and_runs_when_it_is_queued_again(queue: JobQueue, url: str) -> None:
    ids = {await queue.put("ingest.file", {"path": f"/{name}.csv"}, queue="ingest") for name in "ab"}
    work(url, [], fail=True)
    parked = await queue.parked(after=None, limit=10)
    assert {job.job_id for job in parked} == ids
    assert [job.parked_at for job in parked] == sorted(job.parked_at for job in parked)
    first, second = parked
    assert await queue.parked(after=(first.parked_at.timestamp(), first.job_id), limit=10) == [second]
    await queue.retry(first.job_id)
    await queue.discard(second.job_id)
    assert await queue.parked(after=None, limit=10) == []
    done: list[dict[str, object]] = []
    work(url, done, fail=False)
    assert done == [first.payload]


async def test_a_job_that_is_not_parked_is_not_found(queue: JobQueue) -> None:
    with pytest.raises(NotFound):
        await queue.retry("nothing")
    with pytest.raises(NotFound):
        await queue.discard("nothing")


async def test_a_queue_that_does_not_answer_is_unavailable() -> None:
    client = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)
    with pytest.raises(Unavailable, match="AURUM_REDIS__URL"):
        await RedisJobQueue(client, SystemClock(), breaker()).queues()
    await client.aclose()


async def test_a_queue_that_keeps_failing_is_left_alone() -> None:
    client = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)
    circuit = breaker()
    jobs = RedisJobQueue(client, SystemClock(), circuit)
    for _ in range(2):
        with pytest.raises(QueueUnavailable):
            await jobs.put("ingest.file", {}, queue="ingest")
    with pytest.raises(CircuitOpen, match="job queue"):
        await jobs.queues()
    assert (circuit.state().circuit, circuit.state().refused) == ("open", 1)
    await client.aclose()


async def test_an_unknown_job_does_not_count_as_a_failure_of_the_queue(queue: JobQueue) -> None:
    for _ in range(4):
        with pytest.raises(NotFound):
            await queue.retry("nothing")
    assert await queue.queues()
