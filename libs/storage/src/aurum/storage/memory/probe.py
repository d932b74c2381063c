"""Health of the store in memory: it always answers, and its schema always fits this code."""

from __future__ import annotations

from aurum.storage.ports.probe import PoolUse, StoreState

_SCHEMA = "memory"


class MemoryProbe:
    """``StoreProbe`` in memory."""

    async def look(self) -> StoreState:
        return StoreState(_SCHEMA)

    def use(self) -> PoolUse:
        return PoolUse(0, 0, 0)
