"""Feature flags, as documents: what they mean is for ``aurum.common.flags``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredFlag:
    """A flag. ``version`` rises with every change."""

    name: str
    document: Mapping[str, object]
    version: int
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True, slots=True)
class FlagUse:
    """How often a flag evaluated to a variant on a day (UTC)."""

    name: str
    variant: str
    day: date
    evaluations: int


class FlagStore(Protocol):
    """Flags by name, and how often they were evaluated. All methods raise ``Unavailable`` when the store does not answer."""

    async def flags(self) -> Sequence[StoredFlag]:
        """By name."""
        ...

    async def add_use(self, used: Mapping[tuple[str, str], int], day: date) -> None:
        """Count evaluations by flag and variant."""
        ...

    async def use(self, name: str, *, since: date) -> Sequence[FlagUse]:
        """By day and variant."""
        ...


class FlagWriter(Protocol):
    """Changes flags within a transaction."""

    async def locked(self) -> Sequence[StoredFlag]:
        """All flags by name; no other transaction changes one before this one has ended."""
        ...

    async def put(self, name: str, document: Mapping[str, object], *, by: str) -> StoredFlag:
        """Make a flag or change it; its version counts up. ``by``: the subject who changes it."""
        ...

    async def delete(self, name: str) -> None:
        """Raises ``NotFound``."""
        ...
