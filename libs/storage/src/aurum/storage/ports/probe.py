"""Whether the store is there and fit for use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoreState:
    """What a look at the store found. ``schema``: its revision; None when it was never migrated."""

    schema: str | None
    newest_schema: str

    @property
    def is_current(self) -> bool:
        return self.schema == self.newest_schema


@dataclass(frozen=True, slots=True)
class PoolUse:
    """Connections to the store: ``busy`` of those that are ``open``, which may become ``most``; ``waiting`` for one of them."""

    busy: int
    open: int
    most: int
    waiting: int = 0


class StoreProbe(Protocol):
    """A quick look at the store, for health checks."""

    async def look(self) -> StoreState:
        """Raises ``Unavailable`` when the store does not answer."""
        ...

    def use(self) -> PoolUse:
        """How many connections are in use, now."""
        ...
