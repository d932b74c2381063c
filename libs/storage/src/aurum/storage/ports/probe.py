"""Whether the store is there and fit for use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class MismatchKind(StrEnum):
    """Which of the two is too old: the schema or the code."""

    NOT_MIGRATED = "not migrated"
    CODE_TOO_OLD = "code too old"


@dataclass(frozen=True, slots=True)
class SchemaMismatch:
    """Why this code does not run on a schema. ``detail``: a sentence that names both revisions and the next step."""

    kind: MismatchKind
    detail: str


@dataclass(frozen=True, slots=True)
class StoreState:
    """The schema of a store: its revision, None when it was never migrated. ``mismatch``: None when this code runs on it."""

    schema: str | None
    mismatch: SchemaMismatch | None = None


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
