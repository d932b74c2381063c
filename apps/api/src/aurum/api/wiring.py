"""Where the service is put together: the only module that names adapters."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dishka import Provider, Scope, provide

from aurum.api.background import background
from aurum.api.flags import Flags
from aurum.api.freshness import Freshness
from aurum.api.health_checks import HealthCheck, disk_check, feed_check, history_check, redis_check, store_check
from aurum.api.middleware.admission import Gate
from aurum.api.middleware.ratelimit import limits_of
from aurum.api.middleware.response_cache import Kept, ResponseStore
from aurum.api.process_checks import door_check, guards_check, issuer_check, limits_check
from aurum.api.security.authenticator import Authenticator
from aurum.api.services import MaybeSharing, Services
from aurum.api.telemetry import RequestTallies, count_cache, watch_door, watch_feed, watch_guards, watch_pool
from aurum.common.cache import Cache, GuardedTier, LocalCache, Tier, TierAway
from aurum.common.clock import SystemClock
from aurum.common.ratelimit import Limiter
from aurum.common.resilience import Breaker, Guards
from aurum.common.settings import Settings
from aurum.common.telemetry.metrics import Metrics
from aurum.common.telemetry.prometheus import PrometheusView
from aurum.core.access import Plan
from aurum.core.clock import Clock
from aurum.services.observations import Reading
from aurum.storage.history_tier import history_of
from aurum.storage.migrations.head import newest_revision
from aurum.storage.ports import (
    Catalog,
    ChangeFeed,
    JobQueue,
    PartialsReader,
    QualityLog,
    QueueAway,
    SeriesReader,
    StoreProbe,
    ValidationLog,
)
from aurum.storage.ports.access import AuditLog, KeyStore, TenantStore
from aurum.storage.ports.flags import FlagStore
from aurum.storage.ports.history import HistoryStore
from aurum.storage.ports.idempotency import IdempotencyStore
from aurum.storage.ports.models import ModelLog
from aurum.storage.postgres import (
    PostgresAuditLog,
    PostgresCacheTier,
    PostgresCatalog,
    PostgresChangeFeed,
    PostgresFlagStore,
    PostgresIdempotencyStore,
    PostgresKeyStore,
    PostgresModelLog,
    PostgresPool,
    PostgresProbe,
    PostgresQualityLog,
    PostgresSeriesReader,
    PostgresTenantStore,
    PostgresValidationLog,
)
from aurum.storage.remembered import RememberedCatalog
from aurum.storage.tiered import TieredPartialsReader, TieredSeriesReader
from aurum.storage.timescale import TimescalePartialsReader

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from aurum.api.security.tokens import TokenVerifier


@dataclass(frozen=True, slots=True)
class MaybeHistory:
    """Where archived months are, where there is such a place."""

    store: HistoryStore | None


@dataclass(frozen=True, slots=True)
class MaybeRedis:
    """The client of Redis, where there is one."""

    client: Redis | None


class LastingTier(Tier, Protocol):
    """A tier that does not forget by itself what is too old."""

    async def sweep(self) -> int:
        """Forget what is too old; gives how many that were. Raises ``TierAway``."""
        ...


@dataclass(frozen=True, slots=True)
class DurableTier:
    """The tier of the cache in the database."""

    tier: LastingTier


@dataclass(frozen=True, slots=True)
class StoreParts:
    """Of what stands behind the ports besides the store itself: how each is looked at, and what protects from it."""

    checks: Sequence[HealthCheck]
    guards: Guards


class StoreProvider(Provider):
    """The ports on PostgreSQL. Tests put another provider of the same ports in its place."""

    scope = Scope.APP

    @provide
    async def pool(self, settings: Settings) -> AsyncIterator[PostgresPool]:
        pool = await PostgresPool.open(settings.database, slow_query_s=settings.telemetry.slow_query_s)
        yield pool
        await pool.close()

    @provide
    async def history(self, settings: Settings, clock: Clock) -> AsyncIterator[MaybeHistory]:
        store = history_of(settings.history, settings.trino, settings.data_dir, clock)
        yield MaybeHistory(store)
        if store is not None:
            await store.close()

    @provide
    def parts(self, history: MaybeHistory) -> StoreParts:
        if history.store is None:
            return StoreParts((), Guards())
        return StoreParts((history_check(history.store),), history.store.guards)

    @provide
    def reader(self, pool: PostgresPool, clock: Clock, history: MaybeHistory) -> SeriesReader:
        hot = PostgresSeriesReader(pool, clock)
        return hot if history.store is None else TieredSeriesReader(hot, history.store)

    @provide
    async def partials(
        self, pool: PostgresPool, reader: SeriesReader, history: MaybeHistory, feed: ChangeFeed
    ) -> AsyncIterator[PartialsReader]:
        # Without the extension it declares nothing, and rows are read.
        hot = await TimescalePartialsReader.open(pool)
        async with background(hot.follow(feed)):
            yield hot if history.store is None else TieredPartialsReader(hot, reader)

    @provide
    async def feed(self, settings: Settings, pool: PostgresPool) -> AsyncIterator[ChangeFeed]:
        async with PostgresChangeFeed.open(settings.database) as feed:
            feed.when_silent(pool.reads.give_up)
            yield feed

    @provide
    def durable_tier(self, pool: PostgresPool) -> DurableTier:
        return DurableTier(PostgresCacheTier(pool))

    @provide
    def catalog(self, pool: PostgresPool, feed: ChangeFeed) -> Catalog:
        return RememberedCatalog(PostgresCatalog(pool), feed)

    @provide
    def keys(self, pool: PostgresPool) -> KeyStore:
        return PostgresKeyStore(pool)

    @provide
    def tenants(self, pool: PostgresPool) -> TenantStore:
        return PostgresTenantStore(pool)

    @provide
    def audit(self, pool: PostgresPool) -> AuditLog:
        return PostgresAuditLog(pool)

    @provide
    def idempotency(self, pool: PostgresPool) -> IdempotencyStore:
        return PostgresIdempotencyStore(pool)

    @provide
    def flag_store(self, pool: PostgresPool) -> FlagStore:
        return PostgresFlagStore(pool)

    @provide
    def quality(self, pool: PostgresPool) -> QualityLog:
        return PostgresQualityLog(pool)

    @provide
    def models(self, pool: PostgresPool) -> ModelLog:
        return PostgresModelLog(pool)

    @provide
    def validations(self, pool: PostgresPool) -> ValidationLog:
        return PostgresValidationLog(pool)

    @provide
    def probe(self, pool: PostgresPool) -> StoreProbe:
        return PostgresProbe(pool, newest_revision())


@asynccontextmanager
async def stored_validations(settings: Settings) -> AsyncGenerator[ValidationLog]:
    """What checks found, for a process that only reads that. Raises ``Unavailable``."""
    pool = await PostgresPool.open(settings.database)
    try:
        yield PostgresValidationLog(pool)
    finally:
        await pool.close()


async def reach_store(settings: Settings) -> None:
    """Connect and leave again. Raises ``Unavailable``, before a server has printed stacks about it."""
    pool = await PostgresPool.open(settings.database)
    await pool.close()


def _jobs(redis: MaybeRedis, clock: Clock, breakers: Breakers) -> JobQueue | None:
    if redis.client is None:
        return None
    from aurum.storage.redis.job_queue import RedisJobQueue

    return RedisJobQueue(redis.client, clock, breakers.queue)


@dataclass(frozen=True, slots=True)
class Checks:
    """Of everything the service works with."""

    checks: Sequence[HealthCheck]


@dataclass(frozen=True, slots=True)
class Breakers:
    """Of the tiers of the cache that other servers hold, and of the queue: one server may be away for one and not the other."""

    redis: Breaker
    durable: Breaker
    queue: Breaker


@dataclass(frozen=True, slots=True)
class MaybeTokens:
    """Who verifies tokens, where there is an issuer."""

    verifier: TokenVerifier | None
    guards: Guards


class ServiceProvider(Provider):
    """What stands on the ports."""

    scope = Scope.APP

    @provide
    def clock(self) -> Clock:
        return SystemClock()

    @provide
    def services(
        self,
        settings: Settings,
        reader: SeriesReader,
        partials: PartialsReader,
        catalog: Catalog,
        feed: ChangeFeed,
        quality: QualityLog,
        models: ModelLog,
        validations: ValidationLog,
        checks: Checks,
        clock: Clock,
        results: Cache[bytes],
        redis: MaybeRedis,
        breakers: Breakers,
        keys: KeyStore,
        tenants: TenantStore,
        audit: AuditLog,
        idempotency: IdempotencyStore,
        flag_store: FlagStore,
        flags: Flags,
    ) -> Services:
        given = settings.api.cursor_secret
        # Without a secret cursors end with this process, which is what a single one on a laptop needs.
        secret = given.get_secret_value().encode() if given is not None else secrets.token_bytes(32)
        return Services(
            reading=Reading(catalog, reader, partials, most_points=settings.limits.points),
            catalog=catalog,
            feed=feed,
            quality=quality,
            models=models,
            validations=validations,
            checks=checks.checks,
            clock=clock,
            settings=settings.api,
            cursor_secret=secret,
            fresh_s=settings.cache.fresh_s,
            public=settings.access.mode == "open",
            results=results,
            jobs=_jobs(redis, clock, breakers),
            keys=keys,
            tenants=tenants,
            audit=audit,
            idempotency=idempotency,
            flag_store=flag_store,
            flags=flags,
        )

    @provide
    def checks(
        self,
        settings: Settings,
        probe: StoreProbe,
        feed: ChangeFeed,
        redis: MaybeRedis,
        gate: Gate,
        limiter: Limiter[Plan],
        sharing: MaybeSharing,
        guards: Guards,
        tokens: MaybeTokens,
        parts: StoreParts,
    ) -> Checks:
        checks = [store_check(probe), feed_check(feed), disk_check(settings.data_dir), door_check(gate)]
        checks += [*parts.checks, limits_check(limiter, sharing.sharing), guards_check(guards)]
        if redis.client is not None:
            checks.append(redis_check(redis.client))
        if tokens.verifier is not None:
            checks.append(issuer_check(tokens.verifier))
        return Checks(checks)

    @provide
    def breakers(self, settings: Settings) -> Breakers:
        return Breakers(
            redis=Breaker("redis", settings.resilience, counts=(TierAway,)),
            durable=Breaker("database cache", settings.resilience, counts=(TierAway,)),
            queue=Breaker("job queue", settings.resilience, counts=(QueueAway,)),
        )

    @provide
    def guards(self, responses: ResponseStore, breakers: Breakers, tokens: MaybeTokens, parts: StoreParts) -> Guards:
        ours = Guards(circuits=(responses, breakers.redis, breakers.durable, breakers.queue))
        return ours + tokens.guards + parts.guards

    @provide
    def responses(self, settings: Settings, feed: ChangeFeed) -> ResponseStore:
        kept = settings.cache
        local = LocalCache[Kept](policy=kept.policy, most_entries=kept.most_entries, most_bytes=kept.most_bytes)
        store = ResponseStore(Cache(local), feed, kept)
        feed.listen(store.changed)
        return store

    @provide
    def gate(self, settings: Settings) -> Gate:
        return Gate(settings.limits)

    @provide
    def limiter(self, settings: Settings, redis: MaybeRedis) -> Limiter[Plan]:
        shared = settings.limits.share_rates and redis.client is not None
        return Limiter[Plan](
            limits_of, per_second=settings.limits.global_per_second, processes=settings.api.workers, shared=shared
        )

    @provide
    async def sharing(self, settings: Settings, limiter: Limiter[Plan], redis: MaybeRedis) -> AsyncIterator[MaybeSharing]:
        if redis.client is None or not settings.limits.share_rates:
            yield MaybeSharing(None)
            return
        from aurum.common.ratelimit.shared import Sharing

        sharing = Sharing(limiter, redis.client, every_s=settings.limits.settle_every_s)
        async with background(sharing.run()):
            yield MaybeSharing(sharing)

    @provide
    async def flags(self, store: FlagStore, clock: Clock, feed: ChangeFeed) -> AsyncIterator[Flags]:
        flags = Flags(store, clock)
        feed.listen(flags.changed)
        await flags.begin()
        yield flags
        await flags.flush()

    @provide
    def metrics(self) -> Metrics:
        return Metrics()

    @provide
    def tallies(
        self,
        settings: Settings,
        metrics: Metrics,
        responses: ResponseStore,
        results: Cache[bytes],
        feed: ChangeFeed,
        gate: Gate,
        limiter: Limiter[Plan],
        probe: StoreProbe,
        guards: Guards,
    ) -> RequestTallies:
        count_cache(metrics, (responses.cache.tallies, results.tallies), responses)
        watch_feed(metrics, feed)
        watch_pool(metrics, probe)
        watch_guards(metrics, guards)
        watch_door(metrics, gate, limiter)
        return RequestTallies(metrics, settings.telemetry)

    @provide
    def freshness(self, quality: QualityLog, clock: Clock, metrics: Metrics) -> Freshness:
        return Freshness(quality, clock, metrics)

    @provide
    def prometheus(self, metrics: Metrics) -> PrometheusView:
        return PrometheusView(metrics)

    @provide
    async def tokens(self, settings: Settings) -> AsyncIterator[MaybeTokens]:
        if settings.access.issuer is None:
            yield MaybeTokens(None, Guards())
            return
        import httpx  # with what tokens need 12 MB, for those who have an issuer

        from aurum.api.security.tokens import IssuerProtection, TokenVerifier

        protection = IssuerProtection(settings.resilience)
        async with httpx.AsyncClient(trust_env=False, timeout=settings.resilience.http_timeout_s) as client:
            yield MaybeTokens(TokenVerifier(settings.access, client, protection), protection.guards)

    @provide
    async def authenticator(
        self,
        settings: Settings,
        keys: KeyStore,
        tenants: TenantStore,
        clock: Clock,
        feed: ChangeFeed,
        tokens: MaybeTokens,
    ) -> AsyncIterator[Authenticator]:
        grace_s = settings.cache.stale_if_error_s
        authenticator = Authenticator(settings.access, keys, tenants, clock, tokens.verifier, grace_s=grace_s)
        feed.listen(authenticator.changed)
        yield authenticator
        await authenticator.flush()

    @provide
    async def redis(self, settings: Settings) -> AsyncIterator[MaybeRedis]:
        if settings.redis.url is None:
            yield MaybeRedis(None)
            return
        from redis.asyncio import Redis  # a tenth of a second to load, for those who have one

        patience_s = settings.resilience.redis_timeout_s
        client = Redis.from_url(settings.redis.url, socket_timeout=patience_s, socket_connect_timeout=patience_s)
        yield MaybeRedis(client)
        await client.aclose()

    @provide
    async def results(
        self, settings: Settings, redis: MaybeRedis, durable: DurableTier, breakers: Breakers
    ) -> AsyncIterator[Cache[bytes]]:
        kept = settings.cache
        tiers: list[tuple[Tier, float]] = []
        if kept.enabled and kept.shared and redis.client is not None:
            from aurum.common.cache.redis import RedisTier

            tiers.append((GuardedTier(RedisTier(redis.client), breakers.redis), kept.shared_from_s))
        if kept.enabled and kept.durable:
            tiers.append((GuardedTier(durable.tier, breakers.durable), kept.durable_from_s))
        # What is asked again soon is answered from the responses; these tiers are for other processes, and for later.
        local = LocalCache[bytes](policy="lru", most_entries=1, most_bytes=1)
        results = Cache(local, tiers=tiers, fresh_s=kept.fresh_s.history, most_bytes=kept.most_entry_bytes)
        yield results
        await results.stored()
