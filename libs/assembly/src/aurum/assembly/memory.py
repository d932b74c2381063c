"""A store in memory, for tests of code that uses a store."""

from __future__ import annotations

from collections.abc import Iterable

from aurum.assembly.store import Access, CatalogPorts, Files, Observations, Quality, StoreParts
from aurum.common.cache import Stored
from aurum.common.settings import Settings
from aurum.core.clock import Clock
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.changes import ChangeFeed


def memory_store(settings: Settings, clock: Clock, ports: MemoryStore, changes: ChangeFeed) -> StoreParts:
    """Return the ports of a memory store, grouped as in every store. It has no archive log and no inputs of models."""
    return StoreParts(
        settings=settings,
        database=settings.database,
        clock=clock,
        transactions=ports.transactions,
        observations=Observations(ports.reader, ports.partials, ports.partials, ports.neighbours, ports.loaded),
        catalog=CatalogPorts(ports.catalog, ports.search, ports.catalog_writer, ports.blocks, ports.mappings),
        files=Files(ports.files, ports.loader),
        curves=ports.curves,
        derived_curves=ports.derived_curves,
        curve_sets=ports.curve_sets,
        quality=Quality(ports.quality, ports.validations, ports.validations),
        access=Access(ports.keys, ports.tenants, ports.links, ports.audit),
        flags=ports.flags,
        fetches=ports.fetches,
        models=ports.model_log,
        idempotency=ports.idempotency,
        private=ports.private,
        change_log=ports.change_log,
        lineage=ports.lineage,
        usage=ports.usage,
        schedule=ports.schedule,
        schedule_firings=ports.schedule_firings,
        watermarks=ports.watermarks,
        jobs=ports.jobs,
        worker_log=ports.worker_log,
        alerts=ports.alerts,
        webhooks=ports.webhooks,
        probe=ports.probe,
        cache=MemoryTier(),
        changes=changes,
    )


class MemoryTier:
    """A ``LastingTier`` in the memory of one process. It never evicts entries."""

    name = "memory"

    def __init__(self) -> None:
        self._entries: dict[str, tuple[Stored, frozenset[str]]] = {}

    async def get(self, key: str) -> Stored | None:
        entry = self._entries.get(key)
        return entry[0] if entry is not None else None

    async def put(self, key: str, content: bytes, *, fresh_s: float, tags: Iterable[str]) -> None:
        self._entries[key] = Stored(content, fresh_s), frozenset(tags)

    async def sweep(self) -> int:
        return 0

    async def forget(self, tags: Iterable[str]) -> int:
        wanted = set(tags)
        gone = [key for key, (_, entry_tags) in self._entries.items() if entry_tags & wanted]
        for key in gone:
            del self._entries[key]
        return len(gone)
