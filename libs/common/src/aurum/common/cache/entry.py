"""One thing kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Tally:
    """How look-ups of one keyspace in one tier went."""

    hits: int = 0
    stale: int = 0
    misses: int = 0

    @property
    def hit_ratio(self) -> float:
        """Of all look-ups; NaN before the first."""
        asked = self.hits + self.stale + self.misses
        return (self.hits + self.stale) / asked if asked else float("nan")


class CacheEntry(Generic[T]):
    """Times are ``time.monotonic`` seconds. ``invalid``: what it was made from has changed since.

    ``fresh_until``: it may be used without a second thought. ``stale_until``: after that it may still be used while a new one
    is made, or when none can be made. ``weight``: bytes. ``tally``: of its keyspace, counted by whoever looks it up.
    """

    __slots__ = (
        "content",
        "fresh_until",
        "invalid",
        "keyspace",
        "made_at",
        "renewing",
        "stale_until",
        "tags",
        "tally",
        "weight",
    )

    def __init__(
        self,
        content: T,
        *,
        keyspace: str,
        tally: Tally,
        tags: tuple[str, ...],
        made_at: float,
        fresh_s: float,
        stale_s: float,
        weight: int,
    ) -> None:
        self.content = content
        self.keyspace = keyspace
        self.tally = tally
        self.tags = tags
        self.made_at = made_at
        self.fresh_until = made_at + fresh_s
        self.stale_until = self.fresh_until + stale_s
        self.weight = weight
        self.invalid = False
        self.renewing = False
