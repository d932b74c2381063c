"""Stores in memory, for services that need no server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

from aurum.api.wiring import OpenStore
from aurum.assembly.memory import memory_store
from aurum.assembly.store import StoreParts
from aurum.common.clock import SystemClock
from aurum.common.settings import Settings
from aurum.core.clock import Clock
from aurum.storage.memory import MemoryStore
from aurum.storage.memory.changes import MemoryChangeFeed


class InMemory:
    """Opens a memory store. The service learns of no load into it: load first, or call ``publish`` of its feed."""

    def __init__(self, ports: MemoryStore) -> None:
        self._ports = ports
        self.feed = MemoryChangeFeed()

    def __call__(self, settings: Settings) -> AbstractAsyncContextManager[StoreParts]:
        return self._open(settings)

    @asynccontextmanager
    async def _open(self, settings: Settings) -> AsyncGenerator[StoreParts]:
        yield memory_store(settings, SystemClock(), self._ports, self.feed)


def changed(opened: OpenStore, change: Callable[[StoreParts], StoreParts]) -> OpenStore:
    """Return an opener of the same store with a part replaced by ``change``."""

    @asynccontextmanager
    async def open_changed(settings: Settings) -> AsyncGenerator[StoreParts]:
        async with opened(settings) as store:
            yield change(store)

    return open_changed


def on_clock(opened: OpenStore, clock: Clock) -> OpenStore:
    """Return an opener of the same store with another clock than that of the system."""
    return changed(opened, lambda store: replace(store, clock=clock))
