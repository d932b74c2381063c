"""Where the service is put together, on a store: what only a service has."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from aurum.api.background import background
from aurum.api.flags import Flags
from aurum.api.freshness import Freshness
from aurum.api.health_checks import HealthCheck, disk_check, feed_check, history_check, redis_check, store_check
from aurum.api.middleware.admission import Gate
from aurum.api.middleware.ratelimit import limits_of
from aurum.api.middleware.response_cache import Kept, ResponseStore
from aurum.api.process_checks import door_check, guards_check, issuer_check, limits_check
from aurum.api.security.authenticator import Authenticator
from aurum.api.services import Services
from aurum.api.telemetry import RequestTallies, count_cache, watch_door, watch_feed, watch_guards, watch_pool
from aurum.assembly.postgres import open_live_store
from aurum.assembly.services import reading
from aurum.assembly.store import Store, StoreParts
from aurum.common.cache import Cache, GuardedTier, LocalCache, Tier, TierAway
from aurum.common.ratelimit import Limiter
from aurum.common.resilience.breaker import Breaker
from aurum.common.resilience.guards import Guards
from aurum.common.settings import Settings
from aurum.common.telemetry.metrics import Metrics
from aurum.common.telemetry.prometheus import PrometheusView
from aurum.core.access import Plan
from aurum.storage.ports.changes import ChangeFeed
from aurum.storage.ports.jobs import JobQueue, QueueAway

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from aurum.api.security.tokens import TokenVerifier
    from aurum.common.ratelimit.shared import Sharing

OpenStore: TypeAlias = Callable[[Settings], AbstractAsyncContextManager[StoreParts]]
"""Opens the store of a service; tests put another one in the place of ``open_live_store``."""


@dataclass(frozen=True, slots=True)
class ServiceParts:
    """The parts of a running service, by the names under which layers and handlers find them."""

    services: Services
    responses: ResponseStore
    authenticator: Authenticator
    tallies: RequestTallies
    metrics: PrometheusView
    gate: Gate
    limiter: Limiter[Plan]
    sharing: Sharing[Plan] | None
    registry: Metrics
    freshness: Freshness


@asynccontextmanager
async def open_service(settings: Settings, opened: OpenStore = open_live_store) -> AsyncGenerator[ServiceParts]:
    """Put a service together over a store, for the length of the block. Raises ``Unavailable``."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(settings))
        feed = store.changes
        if feed is None:
            raise ValueError("a service needs a store that tells of its changes")
        redis = await _redis(settings, stack)
        tokens, token_guards = await _tokens(settings, stack)
        redis_breaker = Breaker("redis", settings.resilience, counts=(TierAway,))
        durable_breaker = Breaker("database cache", settings.resilience, counts=(TierAway,))
        queue_breaker = Breaker("job queue", settings.resilience, counts=(QueueAway,))
        results = _results(settings, store, redis, redis_breaker, durable_breaker)
        stack.push_async_callback(results.stored)
        responses = _responses(settings, feed)
        history = store.history.store if store.history is not None else None
        guards = Guards(circuits=(responses, redis_breaker, durable_breaker, queue_breaker)) + token_guards
        guards += history.guards if history is not None else Guards()
        gate = Gate(settings.limits)
        limiter, sharing = await _limiter(settings, redis, stack)
        flags = await _flags(store, feed, stack)
        authenticator = Authenticator(
            settings.access,
            store.access.keys,
            store.access.tenants,
            store.clock,
            tokens,
            grace_s=settings.cache.stale_if_error_s,
        )
        feed.listen(authenticator.changed)
        stack.push_async_callback(authenticator.flush)
        metrics = Metrics()
        count_cache(metrics, (responses.cache.tallies, results.tallies), responses)
        watch_feed(metrics, feed)
        watch_pool(metrics, store.probe)
        watch_guards(metrics, guards)
        watch_door(metrics, gate, limiter)
        checks = [store_check(store.probe), feed_check(feed), disk_check(settings.data_dir), door_check(gate)]
        checks += [history_check(history)] if history is not None else []
        checks += [limits_check(limiter, sharing), guards_check(guards)]
        checks += [redis_check(redis)] if redis is not None else []
        checks += [issuer_check(tokens)] if tokens is not None else []
        yield ServiceParts(
            services=_services(settings, store, feed, checks, results, _jobs(redis, store, queue_breaker), flags),
            responses=responses,
            authenticator=authenticator,
            tallies=RequestTallies(metrics, settings.telemetry),
            metrics=PrometheusView(metrics),
            gate=gate,
            limiter=limiter,
            sharing=sharing,
            registry=metrics,
            freshness=Freshness(store.quality.log, store.clock, metrics),
        )


def _services(
    settings: Settings,
    store: Store,
    feed: ChangeFeed,
    checks: list[HealthCheck],
    results: Cache[bytes],
    jobs: JobQueue | None,
    flags: Flags,
) -> Services:
    secret = settings.api.cursor_secret
    return Services(
        store=store,
        reading=reading(store, most_points=settings.limits.points),
        feed=feed,
        checks=checks,
        clock=store.clock,
        settings=settings.api,
        # Without a secret cursors end with this process, which is what a single one on a laptop needs.
        cursor_secret=secret.get_secret_value().encode() if secret is not None else secrets.token_bytes(32),
        fresh_s=settings.cache.fresh_s,
        public=settings.access.mode == "open",
        results=results,
        jobs=jobs,
        flags=flags,
    )


async def _redis(settings: Settings, stack: AsyncExitStack) -> Redis | None:
    if settings.redis.url is None:
        return None
    from redis.asyncio import Redis  # a tenth of a second to load, for those who have one

    patience_s = settings.resilience.redis_timeout_s
    client = Redis.from_url(settings.redis.url, socket_timeout=patience_s, socket_connect_timeout=patience_s)
    stack.push_async_callback(client.aclose)
    return client


async def _tokens(settings: Settings, stack: AsyncExitStack) -> tuple[TokenVerifier | None, Guards]:
    if settings.access.issuer is None:
        return None, Guards()
    import httpx  # with what tokens need 12 MB, for those who have an issuer

    from aurum.api.security.tokens import IssuerProtection, TokenVerifier

    protection = IssuerProtection(settings.resilience)
    client = httpx.AsyncClient(trust_env=False, timeout=settings.resilience.http_timeout_s)
    await stack.enter_async_context(client)
    return TokenVerifier(settings.access, client, protection), protection.guards


async def _limiter(
    settings: Settings, redis: Redis | None, stack: AsyncExitStack
) -> tuple[Limiter[Plan], Sharing[Plan] | None]:
    limits = settings.limits
    is_shared = limits.share_rates and redis is not None
    limiter = Limiter[Plan](limits_of, per_second=limits.global_per_second, processes=settings.api.workers, shared=is_shared)
    if redis is None or not limits.share_rates:
        return limiter, None
    from aurum.common.ratelimit.shared import Sharing

    sharing = Sharing(limiter, redis, every_s=limits.settle_every_s)
    await stack.enter_async_context(background(sharing.run()))
    return limiter, sharing


async def _flags(store: Store, feed: ChangeFeed, stack: AsyncExitStack) -> Flags:
    flags = Flags(store.flags, store.clock)
    feed.listen(flags.changed)
    await flags.begin()
    stack.push_async_callback(flags.flush)
    return flags


def _responses(settings: Settings, feed: ChangeFeed) -> ResponseStore:
    cache = settings.cache
    local = LocalCache[Kept](policy=cache.policy, most_entries=cache.most_entries, most_bytes=cache.most_bytes)
    responses = ResponseStore(Cache(local), feed, cache)
    feed.listen(responses.changed)
    return responses


def _results(
    settings: Settings, store: Store, redis: Redis | None, redis_breaker: Breaker, durable_breaker: Breaker
) -> Cache[bytes]:
    cache = settings.cache
    tiers: list[tuple[Tier, float]] = []
    if cache.enabled and cache.shared and redis is not None:
        from aurum.common.cache.redis import RedisTier

        tiers.append((GuardedTier(RedisTier(redis), redis_breaker), cache.shared_from_s))
    if cache.enabled and cache.durable:
        tiers.append((GuardedTier(store.cache, durable_breaker), cache.durable_from_s))
    # What is asked again soon is answered from the responses; these tiers are for other processes, and for later.
    local = LocalCache[bytes](policy="lru", most_entries=1, most_bytes=1)
    return Cache(local, tiers=tiers, fresh_s=cache.fresh_s.history, most_bytes=cache.most_entry_bytes)


def _jobs(redis: Redis | None, store: Store, breaker: Breaker) -> JobQueue | None:
    if redis is None:
        return None
    from aurum.assembly.jobs import job_queue

    return job_queue(redis, store.clock, breaker)
