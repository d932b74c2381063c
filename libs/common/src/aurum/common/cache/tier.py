"""The interface of cache tiers that several processes share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """Cached content. ``fresh_s``: seconds for which it is still fresh."""

    content: bytes
    fresh_s: float


class TierUnavailable(Exception):
    """The tier does not answer; callers go on without it."""


class Tier(Protocol):
    """Bytes by key, shared between processes. ``name``: for statistics. Every method raises ``TierUnavailable``."""

    @property
    def name(self) -> str: ...

    async def get(self, key: str) -> Stored | None: ...

    async def put(self, key: str, content: bytes, *, fresh_s: float, tags: Iterable[str]) -> None: ...

    async def forget(self, tags: Iterable[str]) -> int:
        """Delete the entries that have one of the tags, and return how many."""
        ...


class LastingTier(Tier, Protocol):
    """A tier that does not delete expired entries by itself."""

    async def sweep(self) -> int:
        """Delete expired entries, and return how many. Raises ``TierUnavailable``."""
        ...
