"""Feature flags as documents; ``aurum.common.flags`` interprets them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredFlag:
    """A feature flag. ``version`` rises by one with every change."""

    name: str
    document: Mapping[str, object]
    version: int
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True, slots=True)
class FlagUse:
    """Number of times that a flag evaluated to a variant on a day (UTC)."""

    name: str
    variant: str
    day: date
    evaluations: int


class FlagStore(Protocol):
    """Flags, and the number of their evaluations. All methods raise ``Unavailable`` when the store does not answer."""

    async def flags(self) -> Sequence[StoredFlag]:
        """Return all flags, ascending by name."""
        ...

    async def add_use(self, evaluations: Mapping[tuple[str, str], int], day: date) -> None:
        """Add numbers of evaluations, by (flag, variant), to those of a day (UTC)."""
        ...

    async def use(self, name: str, *, since: date) -> Sequence[FlagUse]:
        """Return the evaluations of a flag from a day on, ascending by day and variant."""
        ...


class FlagWriter(Protocol):
    """Writes of flags within a transaction."""

    async def locked(self) -> Sequence[StoredFlag]:
        """Return all flags, ascending by name, and lock them, so that no other transaction changes one before this one ends."""
        ...

    async def put(self, name: str, document: Mapping[str, object], *, by: str) -> StoredFlag:
        """Store a flag under its name and raise its version. ``by``: the subject that changes it."""
        ...

    async def delete(self, name: str) -> None:
        """Delete a flag. Raises ``NotFound``."""
        ...
