"""Feature flags, as documents: what they mean is for ``aurum.common.flags``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from aurum.storage.ports.access import Actor


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
    """How often a variant was given on a day (UTC)."""

    name: str
    variant: str
    day: date
    evaluations: int


class FlagStore(Protocol):
    """Flags by name. Every change is on record. All methods raise ``Unavailable`` when the store does not answer."""

    async def flags(self) -> Sequence[StoredFlag]:
        """By name."""
        ...

    async def put(
        self,
        name: str,
        document: Mapping[str, object],
        *,
        version: int | None,
        by: Actor,
        check: Callable[[Sequence[StoredFlag]], None] | None = None,
    ) -> StoredFlag:
        """Make a flag or change it. ``version``: the one that is changed, 0 for a new one; None: whichever there is.

        ``check`` is given all flags there are, and none changes until it is done; what it raises, this raises, and nothing
        is changed. Raises ``Conflict`` when the version is another one.
        """
        ...

    async def delete(self, name: str, *, by: Actor) -> None:
        """Raises ``NotFound``."""
        ...

    async def add_use(self, used: Mapping[tuple[str, str], int], day: date) -> None:
        """Count evaluations by flag and variant."""
        ...

    async def use(self, name: str, *, since: date) -> Sequence[FlagUse]:
        """By day and variant."""
        ...
