"""Where the service is put together: the only module that names adapters."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

from dishka import Provider, Scope, provide

from aurum.api.middleware.response_cache import Kept, ResponseStore
from aurum.api.services import Services
from aurum.common.cache import Cache, LocalCache
from aurum.common.clock import SystemClock
from aurum.common.settings import Settings
from aurum.core.clock import Clock
from aurum.storage.migrations.head import newest_revision
from aurum.storage.ports import Catalog, ChangeFeed, QualityLog, SeriesReader, StoreProbe
from aurum.storage.postgres import (
    PostgresCatalog,
    PostgresChangeFeed,
    PostgresPool,
    PostgresProbe,
    PostgresQualityLog,
    PostgresSeriesReader,
)
from aurum.storage.remembered import RememberedCatalog


class StoreProvider(Provider):
    """The ports on PostgreSQL. Tests put another provider of the same ports in its place."""

    scope = Scope.APP

    @provide
    async def pool(self, settings: Settings) -> AsyncIterator[PostgresPool]:
        pool = await PostgresPool.open(settings.database)
        yield pool
        await pool.close()

    @provide
    def reader(self, pool: PostgresPool, clock: Clock) -> SeriesReader:
        return PostgresSeriesReader(pool, clock)

    @provide
    async def feed(self, settings: Settings) -> AsyncIterator[ChangeFeed]:
        async with PostgresChangeFeed.open(settings.database) as feed:
            yield feed

    @provide
    def catalog(self, pool: PostgresPool, feed: ChangeFeed) -> Catalog:
        return RememberedCatalog(PostgresCatalog(pool), feed)

    @provide
    def quality(self, pool: PostgresPool) -> QualityLog:
        return PostgresQualityLog(pool)

    @provide
    def probe(self, pool: PostgresPool) -> StoreProbe:
        return PostgresProbe(pool, newest_revision())


async def reach_store(settings: Settings) -> None:
    """Connect and leave again. Raises ``Unavailable``, before a server has printed stacks about it."""
    pool = await PostgresPool.open(settings.database)
    await pool.close()


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
        catalog: Catalog,
        quality: QualityLog,
        probe: StoreProbe,
        clock: Clock,
    ) -> Services:
        given = settings.api.cursor_secret
        # Without a secret cursors end with this process, which is what a single one on a laptop needs.
        secret = given.get_secret_value().encode() if given is not None else secrets.token_bytes(32)
        return Services(reader, catalog, quality, probe, clock, settings.api, secret, settings.cache.fresh_s, public=True)

    @provide
    def responses(self, settings: Settings, feed: ChangeFeed) -> ResponseStore:
        kept = settings.cache
        local = LocalCache[Kept](policy=kept.policy, most_entries=kept.most_entries, most_bytes=kept.most_bytes)
        store = ResponseStore(Cache(local), feed, kept)
        feed.listen(store.changed)
        return store
