"""A cache entry, and the counts of look-ups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Tally:
    """The counts of look-ups of one keyspace in one tier, by outcome."""

    hits: int = 0
    stale: int = 0
    misses: int = 0

    @property
    def hit_ratio(self) -> float:
        """The share of look-ups that found an entry, fresh or stale, 0 to 1; NaN before the first look-up."""
        lookups = self.hits + self.stale + self.misses
        return (self.hits + self.stale) / lookups if lookups else float("nan")


class CacheEntry(Generic[T]):
    """A cached result. All times are in seconds of ``time.monotonic``.

    ``fresh_until``: until then it may be served as it is. ``stale_until``: until then it may be served while a new result is
    made, or when none can be made. ``invalid``: the data it was made from has changed since. ``renewing``: a new result is
    being made. ``weight``: bytes. ``tally``: the counts of its keyspace, which the code that looks it up increments.
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
