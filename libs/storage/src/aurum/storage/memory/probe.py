"""Memory is always there, and has the one schema its code has."""

from __future__ import annotations

from aurum.storage.ports.probe import PoolUse, StoreState

_SCHEMA = "memory"


class MemoryProbe:
    """``StoreProbe`` in memory."""

    async def look(self) -> StoreState:
        return StoreState(_SCHEMA)

    def use(self) -> PoolUse:
        return PoolUse(0, 0, 0)
