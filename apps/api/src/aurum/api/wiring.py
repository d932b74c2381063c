"""Assembly of the service: its caches, limits, authentication, health checks and metrics, over a store."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from aurum.api.cache.opening import open_redis, response_store, result_cache
from aurum.api.cache.store import ResponseStore
from aurum.api.encoding.negotiate import DATA_FILES
from aurum.api.handlers.flags import Flags
from aurum.api.handlers.health_checks import HealthCheck, disk_check, feed_check, history_check, redis_check, store_check
from aurum.api.handlers.opening import open_flags
from aurum.api.handlers.services import Services
from aurum.api.middleware.admission import AdmissionQueue
from aurum.api.middleware.opening import open_limiter
from aurum.api.observability.freshness import Freshness
from aurum.api.observability.process_checks import admission_check, guards_check, issuer_check, limits_check, worker_checks
from aurum.api.observability.telemetry import (
    RequestTallies,
    count_cache,
    watch_admission,
    watch_feed,
    watch_guards,
    watch_listeners,
    watch_pool,
)
from aurum.api.pictures.drawer import Drawer
from aurum.api.push.hub import ChangeHub
from aurum.api.push.jobs import JobHub
from aurum.api.security.authenticator import Authenticator
from aurum.api.security.links import LinkVerifier
from aurum.api.security.opening import open_tokens
from aurum.api.spool.folder import SpoolFolder
from aurum.api.spool.spooler import Spooler
from aurum.assembly.postgres import open_live_store
from aurum.assembly.services import changed_points, reading, wide_reading
from aurum.assembly.store import Store, StoreParts
from aurum.common.cache import Cache, TierUnavailable
from aurum.common.ratelimit import Limiter
from aurum.common.resilience.breaker import Breaker
from aurum.common.resilience.guards import Guards
from aurum.common.settings import Settings
from aurum.common.telemetry.metrics import Metrics
from aurum.common.telemetry.prometheus import PrometheusView
from aurum.core.access import RatePlan
from aurum.services.changes import ChangeList
from aurum.services.jobs.definitions import default_definitions
from aurum.services.usage import UsageCounter
from aurum.storage.ports.changes import ChangeFeed

if TYPE_CHECKING:
    from aurum.common.ratelimit.shared import Sharing

OpenStore: TypeAlias = Callable[[Settings], AbstractAsyncContextManager[StoreParts]]
"""Opens the store of a service; tests pass another one than ``open_live_store``."""


@dataclass(frozen=True, slots=True)
class ServiceParts:
    """The parts of a running service, by the names that layers and handlers use for them."""

    services: Services
    responses: ResponseStore
    authenticator: Authenticator
    tallies: RequestTallies
    metrics: PrometheusView
    gate: AdmissionQueue
    limiter: Limiter[RatePlan]
    usage: UsageCounter
    sharing: Sharing[RatePlan] | None
    registry: Metrics
    freshness: Freshness
    spooler: Spooler
    links: LinkVerifier


@asynccontextmanager
async def open_service(settings: Settings, opened: OpenStore = open_live_store) -> AsyncGenerator[ServiceParts]:
    """Open a store and assemble the service over it, for the length of the block. Raises ``Unavailable``."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(settings))
        feed = store.changes
        if feed is None:
            raise ValueError("the store has no change feed, which a service needs")
        redis = await open_redis(settings, stack)
        tokens, token_guards = await open_tokens(settings, stack)
        redis_breaker = Breaker("redis", settings.resilience, counts=(TierUnavailable,))
        durable_breaker = Breaker("database cache", settings.resilience, counts=(TierUnavailable,))
        results = result_cache(settings, store, redis, redis_breaker, durable_breaker)
        stack.push_async_callback(results.wait_for_writes)
        responses = response_store(settings, feed)
        history = store.history.store if store.history is not None else None
        guards = Guards(circuits=(responses, redis_breaker, durable_breaker)) + token_guards
        guards += history.guards if history is not None else Guards()
        gate = AdmissionQueue(settings.limits)
        limiter, sharing = await open_limiter(settings, redis, stack)
        flags = await open_flags(store, feed, stack)
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
        usage = UsageCounter(store.usage, store.clock)
        stack.push_async_callback(usage.write)
        links = LinkVerifier(
            store.access.links,
            settings.links,
            store.clock,
            remembered_s=settings.access.remembered_s,
            required=authenticator.required,
        )
        feed.listen(links.changed)
        hub = ChangeHub(store.change_log, settings.changes)
        feed.listen(hub.changed)
        job_hub = JobHub(store.jobs, settings.changes)
        feed.listen(job_hub.changed)
        spool_folder = SpoolFolder(settings.spool.folder or settings.data_dir / "spool", settings.spool, store.clock)
        spooler = Spooler(spool_folder, DATA_FILES)
        stack.push_async_callback(spooler.close)
        drawer = Drawer(settings.data_dir / "fonts")
        stack.push_async_callback(drawer.close)
        metrics = Metrics()
        count_cache(metrics, (responses.cache.tallies, results.tallies), responses)
        watch_feed(metrics, feed)
        watch_pool(metrics, store.probe)
        watch_guards(metrics, guards)
        watch_admission(metrics, gate, limiter)
        watch_listeners(metrics, hub.places)
        checks = [store_check(store.probe), feed_check(feed), disk_check(settings.data_dir), admission_check(gate)]
        checks += [history_check(history)] if history is not None else []
        checks += [limits_check(limiter, sharing), guards_check(guards)]
        checks += [redis_check(redis)] if redis is not None else []
        checks += worker_checks(settings.supervision)
        checks += [issuer_check(tokens)] if tokens is not None else []
        yield ServiceParts(
            services=_services(settings, store, feed, checks, results, flags, hub, job_hub, drawer),
            responses=responses,
            authenticator=authenticator,
            tallies=RequestTallies(metrics, settings.telemetry),
            metrics=PrometheusView(metrics),
            gate=gate,
            limiter=limiter,
            usage=usage,
            sharing=sharing,
            registry=metrics,
            freshness=Freshness(store.quality.log, store.clock, metrics),
            spooler=spooler,
            links=links,
        )


def _services(
    settings: Settings,
    store: Store,
    feed: ChangeFeed,
    checks: list[HealthCheck],
    results: Cache[bytes],
    flags: Flags,
    hub: ChangeHub,
    job_hub: JobHub,
    drawer: Drawer,
) -> Services:
    secret = settings.api.cursor_secret
    return Services(
        store=store,
        reading=reading(store, most_points=settings.limits.points),
        wide=wide_reading(store, most_points=settings.limits.points),
        feed=feed,
        links=settings.links,
        checks=checks,
        clock=store.clock,
        settings=settings.api,
        # Without the setting, cursors are valid until this process ends: enough for a single process.
        cursor_secret=secret.get_secret_value().encode() if secret is not None else secrets.token_bytes(32),
        fresh_s=settings.cache.fresh_s,
        public=settings.access.mode == "open",
        results=results,
        definitions=default_definitions(),
        flags=flags,
        changes=ChangeList(store.change_log, store.clock, settings.changes.keep_days),
        changed_points=changed_points(store),
        hub=hub,
        job_hub=job_hub,
        drawer=drawer,
    )
