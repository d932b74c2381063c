"""The ports in memory, for services that need no server."""

from __future__ import annotations

from dishka import Provider, Scope, provide

from aurum.api.wiring import DurableTier
from aurum.common.cache import Stored
from aurum.storage.memory import MemoryStore
from aurum.storage.memory.change_feed import MemoryChangeFeed
from aurum.storage.ports import Catalog, ChangeFeed, QualityLog, SeriesReader, StoreProbe


class NothingKept:
    """A tier of the cache that keeps nothing."""

    name = "nothing"

    async def get(self, key: str) -> Stored | None:
        return None

    async def put(self, key: str, content: bytes, *, fresh_s: float, tags: object) -> None:
        return None

    async def forget(self, tags: object) -> int:
        return 0


class MemoryProvider(Provider):
    """The ports of a memory store. Loads into it are not told to the service: load first, or ``tell`` its feed."""

    scope = Scope.APP

    def __init__(self, store: MemoryStore) -> None:
        super().__init__()
        self._store = store
        self.feed = MemoryChangeFeed()

    @provide
    def reader(self) -> SeriesReader:
        return self._store.reader

    @provide
    def catalog(self) -> Catalog:
        return self._store.catalog

    @provide
    def quality(self) -> QualityLog:
        return self._store.quality

    @provide
    def probe(self) -> StoreProbe:
        return self._store.probe

    @provide
    def change_feed(self) -> ChangeFeed:
        return self.feed

    @provide
    def durable_tier(self) -> DurableTier:
        return DurableTier(NothingKept())
