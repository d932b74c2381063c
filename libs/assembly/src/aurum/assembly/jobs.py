"""The job queue of a process with Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from aurum.common.resilience.breaker import Breaker
    from aurum.core.clock import Clock
    from aurum.storage.ports.jobs import JobQueue


def job_queue(redis: Redis | None, clock: Clock, breaker: Breaker) -> JobQueue | None:
    """Return the job queue on a Redis client; None without one. ``breaker``: the circuit breaker of its calls."""
    if redis is None:
        return None
    from aurum.storage.redis.job_queue import RedisJobQueue  # the client takes a tenth of a second to load

    return RedisJobQueue(redis, clock, breaker)
