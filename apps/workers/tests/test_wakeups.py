"""Wake-ups over Redis: lost, foreign and damaged messages, and a Redis that is away."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from redis import Redis
from trial_log import LIGHT, QUICK, Log, Serve

from aurum.core.jobs.states import JobState, Queue
from aurum.storage.testing.waiting import wait_until
from aurum.workers.service import Service

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_redis]

PATIENT = LIGHT.model_copy(update={"sweep_s": 60.0})
"""A worker that finds jobs by wake-ups only."""
AWAY = "redis://127.0.0.1:1/0"


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        client.flushall()
        yield client


def put(redis: Redis, queue: str, *texts: str) -> None:
    """Put messages into a queue of Dramatiq as a foreign program might."""
    for number, text in enumerate(texts):
        redis.hset(f"dramatiq:{queue}.msgs", f"foreign-{number}", text)
        redis.rpush(f"dramatiq:{queue}", f"foreign-{number}")


async def test_a_job_is_announced_to_a_worker_that_does_not_look(log: Log, serve: Serve) -> None:
    async with serve(workers=PATIENT):
        for number in range(3):
            done = await log.until(await log.submit("trial.light", key=str(number)))
            assert done.state is JobState.SUCCEEDED


async def test_a_message_names_the_announced_jobs(log: Log, serve: Serve, redis: Redis) -> None:
    job_id = await log.submit("trial.light", key="a")
    async with serve(workers=QUICK.model_copy(update={"roles": ("relay",)})):
        await wait_until(lambda: redis.llen("dramatiq:interactive") == 1)
    (text,) = redis.hgetall("dramatiq:interactive.msgs").values()
    message = json.loads(text)
    assert (message["queue_name"], message["actor_name"], message["kwargs"]) == ("interactive", "run", {"jobs": [job_id]})


async def test_foreign_and_damaged_messages_are_dropped_and_no_thread_ends(log: Log, serve: Serve, redis: Redis) -> None:
    foreign = Message("elsewhere", "run", (), {}, {"redis_message_id": "foreign-0"}).encode().decode()
    unknown = Message("interactive", "not_ours", (), {}, {"redis_message_id": "foreign-1"}).encode().decode()
    odd = json.dumps(
        {"queue_name": "interactive", "actor_name": "run", "args": [], "kwargs": {}, "options": 3, "message_id": ["x"]}
    )
    with structlog.testing.capture_logs() as lines:
        async with serve(workers=PATIENT) as service:
            put(redis, "interactive", foreign, unknown)
            await wait_until(lambda: not redis.exists("dramatiq:interactive.msgs"))
            for text in ("no JSON", "[]", "{}", odd):
                put(redis, "interactive", text)
                await wait_until(lambda: not redis.exists("dramatiq:interactive", "dramatiq:interactive.msgs"))
            done = await log.until(await log.submit("trial.light", key="a"))
            assert done.state is JobState.SUCCEEDED
            assert service.live()[1] == {"status": "live"}
    events = [line["event"] for line in lines if line["log_level"] == "warning"]
    assert events.count("a foreign message was dropped") == 2
    assert events.count("a message cannot be read; the queue of wake-ups is emptied") == 4


async def test_a_redis_that_is_away_is_said_once_and_delays_nothing(log: Log, serve: Serve) -> None:
    with structlog.testing.capture_logs() as lines:
        async with serve(workers=PATIENT, redis=AWAY) as service:
            for number in range(3):
                done = await log.until(await log.submit("trial.light", key=str(number)))
                assert done.state is JobState.SUCCEEDED
            assert service.live()[1] == {"status": "live"}
    assert [line["setting"] for line in lines if line["event"].startswith("Redis does not answer")] == ["AURUM_REDIS__URL"]


async def test_announcements_that_were_lost_are_made_again(log: Log, serve: Serve, redis: Redis) -> None:
    job_id = await log.submit("trial.light", key="a")
    async with log.store.worker_log.announcing(limit=10) as announced:
        assert [job.job_id for job in announced] == [job_id]
    redis.flushall()
    relay = QUICK.model_copy(update={"roles": ("relay",)})
    async with serve(workers=relay):
        await wait_until(lambda: redis.llen("dramatiq:interactive") >= 1)


async def test_a_worker_without_room_leaves_messages_to_others(log: Log, serve: Serve, redis: Redis, redis_url: str) -> None:
    workers = PATIENT.model_copy(update={"bulk_places": 1, "light_places": 0})
    async with serve(workers=workers) as service:
        job_id = await log.submit("trial.process", key="a", takes_s=60.0)
        await log.until(job_id, JobState.RUNNING)
        await wait_until(lambda: not has_room(service))
        RedisBroker(url=redis_url, middleware=[]).enqueue(Message("bulk", "run", (), {"jobs": []}, {}))
        assert redis.llen("dramatiq:bulk") == 1
        await log.cancel(job_id)
        await wait_until(lambda: redis.llen("dramatiq:bulk") == 0)


def has_room(service: Service) -> bool:
    return service.wakeups.listeners[Queue.BULK].room.is_set()
