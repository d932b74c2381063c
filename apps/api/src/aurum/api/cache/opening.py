"""The caches of a service, made from its settings."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from aurum.api.cache.response import CachedResponse
from aurum.api.cache.store import ResponseStore
from aurum.assembly.store import Store
from aurum.common.cache import Cache, GuardedTier, LocalCache, Tier
from aurum.common.resilience.breaker import Breaker
from aurum.common.settings import Settings
from aurum.storage.ports.changes import ChangeFeed

if TYPE_CHECKING:
    from redis.asyncio import Redis


def response_store(settings: Settings, feed: ChangeFeed) -> ResponseStore:
    """Return the response cache of this process. The change feed invalidates its responses."""
    cache = settings.cache
    local = LocalCache[CachedResponse](policy=cache.policy, most_entries=cache.most_entries, most_bytes=cache.most_bytes)
    responses = ResponseStore(Cache(local), feed, cache)
    feed.listen(responses.changed)
    return responses


def result_cache(
    settings: Settings, store: Store, redis: Redis | None, redis_breaker: Breaker, durable_breaker: Breaker
) -> Cache[bytes]:
    """Return the cache of expensive results, in the tiers that processes share."""
    cache = settings.cache
    tiers: list[tuple[Tier, float]] = []
    if cache.enabled and cache.shared and redis is not None:
        from aurum.common.cache.redis import RedisTier

        tiers.append((GuardedTier(RedisTier(redis), redis_breaker), cache.shared_from_s))
    if cache.enabled and cache.durable:
        tiers.append((GuardedTier(store.cache, durable_breaker), cache.durable_from_s))
    # Requests repeated soon in this process hit the response cache; these tiers serve other processes, and later requests.
    local = LocalCache[bytes](policy="lru", most_entries=1, most_bytes=1)
    return Cache(local, tiers=tiers, fresh_s=cache.fresh_s.history, most_bytes=cache.most_entry_bytes)


async def open_redis(settings: Settings, stack: AsyncExitStack) -> Redis | None:
    """Return a client of the Redis server in the settings, if there is one; ``stack`` closes it."""
    if settings.redis.url is None:
        return None
    from redis.asyncio import Redis  # a tenth of a second to load, only where Redis is used

    patience_s = settings.resilience.redis_timeout_s
    client = Redis.from_url(settings.redis.url, socket_timeout=patience_s, socket_connect_timeout=patience_s)
    stack.push_async_callback(client.aclose)
    return client
