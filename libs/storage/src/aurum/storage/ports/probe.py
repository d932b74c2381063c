"""Health of the store: whether it answers, and whether this code runs on its schema."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class MismatchKind(StrEnum):
    """The side of a mismatch that is too old: the schema or the code."""

    NOT_MIGRATED = "not migrated"
    CODE_TOO_OLD = "code too old"


@dataclass(frozen=True, slots=True)
class SchemaMismatch:
    """The reason why this code does not run on a schema. ``detail``: a sentence with both revisions and the next step."""

    kind: MismatchKind
    detail: str


@dataclass(frozen=True, slots=True)
class StoreState:
    """State of the schema of a store.

    ``schema``: its revision, None when it was never migrated. ``mismatch``: None when this code runs on it.
    """

    schema: str | None
    mismatch: SchemaMismatch | None = None


@dataclass(frozen=True, slots=True)
class PoolUse:
    """Numbers of connections to the store.

    ``busy``: in use. ``open``: connected. ``most``: largest number that may be open. ``waiting``: callers that wait for one.
    """

    busy: int
    open: int
    most: int
    waiting: int = 0


class StoreProbe(Protocol):
    """Quick checks of the store, for health endpoints."""

    async def look(self) -> StoreState:
        """Return the state of the schema. Raises ``Unavailable`` when the store does not answer."""
        ...

    def use(self) -> PoolUse:
        """Return the present numbers of connections."""
        ...
