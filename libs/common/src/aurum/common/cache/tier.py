"""What a tier outside this process does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """Content and how many seconds it is still fresh."""

    content: bytes
    fresh_s: float


class TierAway(Exception):
    """The tier does not answer; whoever asked goes on without it."""


class Tier(Protocol):
    """Bytes by key, shared between processes. ``name``: for statistics. Every method raises ``TierAway``."""

    @property
    def name(self) -> str: ...

    async def get(self, key: str) -> Stored | None: ...

    async def put(self, key: str, content: bytes, *, fresh_s: float, tags: Iterable[str]) -> None: ...

    async def forget(self, tags: Iterable[str]) -> int:
        """Drop what bears one of the tags; how many that were."""
        ...


class LastingTier(Tier, Protocol):
    """A tier that does not drop by itself what is out of date."""

    async def sweep(self) -> int:
        """Drop what is out of date; how many entries that were. Raises ``TierAway``."""
        ...
