"""The job queue of a process that has a Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aurum.storage.redis.job_queue import RedisJobQueue

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from aurum.common.resilience.breaker import Breaker
    from aurum.core.clock import Clock
    from aurum.storage.ports.jobs import JobQueue


def job_queue(redis: Redis, clock: Clock, breaker: Breaker) -> JobQueue:
    """Return the queue on a client of Redis. ``breaker``: guards its calls."""
    return RedisJobQueue(redis, clock, breaker)
