"""The rate limiter of a service, made from settings."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from aurum.api.middleware.ratelimit import limits_of
from aurum.api.process.background import background
from aurum.common.ratelimit import Limiter
from aurum.common.settings import Settings
from aurum.core.access import RatePlan

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from aurum.common.ratelimit.shared import Sharing


async def open_limiter(
    settings: Settings, redis: Redis | None, stack: AsyncExitStack
) -> tuple[Limiter[RatePlan], Sharing[RatePlan] | None]:
    """Return the rate limiter, and the task that shares its counts with other processes through Redis; ``stack`` ends it."""
    limits = settings.limits
    is_shared = limits.share_rates and redis is not None
    limiter = Limiter[RatePlan](
        limits_of, per_second=limits.global_per_second, processes=settings.api.workers, shared=is_shared
    )
    if redis is None or not limits.share_rates:
        return limiter, None
    from aurum.common.ratelimit.shared import Sharing

    sharing = Sharing(limiter, redis, every_s=limits.settle_every_s)
    await stack.enter_async_context(background(sharing.run()))
    return limiter, sharing
