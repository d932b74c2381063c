"""The job queues in Redis, in the layout of Dramatiq (its ``brokers/redis/dispatch.lua``), from which workers take jobs.

``<namespace>:<queue>`` is a list of message keys, and ``<namespace>:<queue>.msgs`` a hash of messages by key. The suffix
``.DQ`` stands for delayed messages, and ``.XQ`` for parked ones: a sorted set of keys by the time in milliseconds. Messages are
JSON.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError

from aurum.common.resilience.breaker import Breaker
from aurum.common.telemetry.work import carried
from aurum.core.clock import Clock
from aurum.core.errors import NotFound
from aurum.storage.ports.jobs import ParkedJob, QueueState, QueueUnavailable

_NAMESPACE = "dramatiq"
_HISTORY_OPTIONS = ("retries", "traceback", "requeue_timestamp", "reason", "eta")
"""Options of a message that record its earlier tries."""


class UnknownJob(NotFound):
    """No parked job has this id. Facts: ``job_id``."""


class RedisJobQueue:
    """``JobQueue`` on Redis. ``breaker`` counts ``QueueUnavailable``; while it is open, calls fail at once."""

    def __init__(self, client: Redis, clock: Clock, breaker: Breaker, *, queues: Sequence[str] = ("ingest",)) -> None:
        self._client = client
        self._clock = clock
        self._breaker = breaker
        self._queues = tuple(sorted(queues))

    async def queues(self) -> Sequence[QueueState]:
        with self._redis_errors():
            async with self._client.pipeline(transaction=False) as pipe:
                for queue in self._queues:
                    pipe.llen(f"{_NAMESPACE}:{queue}")
                    pipe.llen(f"{_NAMESPACE}:{queue}.DQ")
                    pipe.zcard(f"{_NAMESPACE}:{queue}.XQ")
                counts = cast("list[int]", await pipe.execute())
        return [
            QueueState(queue, *counts[3 * index : 3 * index + 3])  # three counts for each queue, in the order of the commands
            for index, queue in enumerate(self._queues)
        ]

    async def put(self, name: str, payload: Mapping[str, object], *, queue: str, job_id: str | None = None) -> str:
        message: dict[str, Any] = {
            "queue_name": queue,
            "actor_name": name,
            "args": [],
            "kwargs": dict(payload),
            "options": carried(),
            "message_id": job_id or str(uuid4()),
            "message_timestamp": int(self._clock.now().timestamp() * 1000),
        }
        await self._push(queue, message)
        return str(message["message_id"])

    async def parked(self, *, after: tuple[float, str] | None, limit: int) -> Sequence[ParkedJob]:
        jobs = [_parked_job(queue, message, at) for queue, _, message, at in await self._parked_messages()]
        jobs.sort(key=_cursor)
        return [job for job in jobs if after is None or _cursor(job) > after][:limit]

    async def parked_job(self, job_id: str) -> ParkedJob:
        queue, _, message, parked_ms = await self._find(job_id)
        return _parked_job(queue, message, parked_ms)

    async def retry(self, job_id: str) -> ParkedJob:
        queue, key, message, parked_ms = await self._find(job_id)
        again = {
            **message,
            "options": {name: value for name, value in message["options"].items() if name not in _HISTORY_OPTIONS},
        }
        # Queued before it is unparked: an interruption leaves the job in both, and a job that runs twice loads nothing twice.
        await self._push(queue, again)
        await self._drop(queue, key)
        return _parked_job(queue, message, parked_ms)

    async def discard(self, job_id: str) -> ParkedJob:
        queue, key, message, parked_ms = await self._find(job_id)
        await self._drop(queue, key)
        return _parked_job(queue, message, parked_ms)

    async def _push(self, queue: str, message: Mapping[str, Any]) -> None:
        key = str(uuid4())
        content = {**message, "options": {**message["options"], "redis_message_id": key}}
        name = f"{_NAMESPACE}:{queue}"
        with self._redis_errors():
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.hset(f"{name}.msgs", key, json.dumps(content))
                pipe.rpush(name, key)
                await pipe.execute()

    async def _drop(self, queue: str, key: str) -> None:
        name = f"{_NAMESPACE}:{queue}.XQ"
        with self._redis_errors():
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.zrem(name, key)
                pipe.hdel(f"{name}.msgs", key)
                await pipe.execute()

    async def _find(self, job_id: str) -> tuple[str, str, dict[str, Any], float]:
        for entry in await self._parked_messages():
            if entry[2]["message_id"] == job_id:
                return entry
        raise UnknownJob(f"no job {job_id!r} is parked", job_id=job_id)

    async def _parked_messages(self) -> list[tuple[str, str, dict[str, Any], float]]:
        """Return queue, key, message and time of parking (milliseconds since 1970) of every parked message."""
        with self._redis_errors():
            async with self._client.pipeline(transaction=True) as pipe:
                for queue in self._queues:
                    pipe.zrange(f"{_NAMESPACE}:{queue}.XQ", 0, -1, withscores=True)  # pyright: ignore[reportUnknownMemberType] - the type of a callback is unknown
                    pipe.hgetall(f"{_NAMESPACE}:{queue}.XQ.msgs")
                answers = await pipe.execute()
        messages: list[tuple[str, str, dict[str, Any], float]] = []
        for index, queue in enumerate(self._queues):
            times, contents = answers[2 * index], answers[2 * index + 1]
            messages += [(queue, key.decode(), json.loads(contents[key]), ms) for key, ms in times if key in contents]
        return messages

    @contextmanager
    def _redis_errors(self) -> Generator[None]:
        """Raise errors of Redis as ``QueueUnavailable``, and count them."""
        with self._breaker.guard():
            try:
                yield
            except (RedisError, OSError) as error:
                text = "the queue does not answer: check AURUM_REDIS__URL"
                raise QueueUnavailable(text, retry_after=1.0, where=str(error)) from error


def _parked_job(queue: str, message: Mapping[str, Any], parked_ms: float) -> ParkedJob:
    return ParkedJob(
        job_id=message["message_id"],
        name=message["actor_name"],
        queue=queue,
        payload=message["kwargs"],
        reason=message["options"].get("reason", ""),
        parked_at=datetime.fromtimestamp(parked_ms / 1000, UTC),
    )


def _cursor(job: ParkedJob) -> tuple[float, str]:
    return job.parked_at.timestamp(), job.job_id
