"""The ports in memory, for services that need no server."""

from __future__ import annotations

from collections.abc import Iterable

from dishka import Provider, Scope, provide

from aurum.api.wiring import DurableTier, StoreParts
from aurum.common.cache import Stored
from aurum.common.resilience import Guards
from aurum.storage.memory import MemoryStore
from aurum.storage.memory.changes import MemoryChangeFeed
from aurum.storage.ports import Catalog, ChangeFeed, PartialsReader, QualityLog, SeriesReader, StoreProbe, ValidationLog
from aurum.storage.ports.access import AuditLog, KeyStore, TenantStore
from aurum.storage.ports.flags import FlagStore
from aurum.storage.ports.idempotency import IdempotencyStore
from aurum.storage.ports.models import ModelLog


class MemoryTier:
    """A tier of the cache in this process."""

    name = "memory"

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Stored, frozenset[str]]] = {}

    async def get(self, key: str) -> Stored | None:
        found = self._kept.get(key)
        return found[0] if found is not None else None

    async def put(self, key: str, content: bytes, *, fresh_s: float, tags: Iterable[str]) -> None:
        self._kept[key] = Stored(content, fresh_s), frozenset(tags)

    async def sweep(self) -> int:
        return 0

    async def forget(self, tags: Iterable[str]) -> int:
        wanted = set(tags)
        gone = [key for key, (_, bears) in self._kept.items() if bears & wanted]
        for key in gone:
            del self._kept[key]
        return len(gone)


class MemoryProvider(Provider):
    """The ports of a memory store. Loads into it are not told to the service: load first, or ``tell`` its feed."""

    scope = Scope.APP

    def __init__(self, store: MemoryStore) -> None:
        super().__init__()
        self._store = store
        self.feed = MemoryChangeFeed()

    @provide
    def parts(self) -> StoreParts:
        return StoreParts((), Guards())

    @provide
    def reader(self) -> SeriesReader:
        return self._store.reader

    @provide
    def partials(self) -> PartialsReader:
        return self._store.partials

    @provide
    def catalog(self) -> Catalog:
        return self._store.catalog

    @provide
    def quality(self) -> QualityLog:
        return self._store.quality

    @provide
    def models(self) -> ModelLog:
        return self._store.model_log

    @provide
    def validations(self) -> ValidationLog:
        return self._store.validations

    @provide
    def probe(self) -> StoreProbe:
        return self._store.probe

    @provide
    def keys(self) -> KeyStore:
        return self._store.keys

    @provide
    def tenants(self) -> TenantStore:
        return self._store.tenants

    @provide
    def audit(self) -> AuditLog:
        return self._store.audit

    @provide
    def flag_store(self) -> FlagStore:
        return self._store.flags

    @provide
    def idempotency(self) -> IdempotencyStore:
        return self._store.idempotency

    @provide
    def change_feed(self) -> ChangeFeed:
        return self.feed

    @provide
    def durable_tier(self) -> DurableTier:
        return DurableTier(MemoryTier())
