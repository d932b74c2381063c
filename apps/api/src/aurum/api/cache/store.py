"""The cached responses of a process, and those that are being made."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from aurum.api.cache.caching import tags_changed
from aurum.api.cache.key import Key
from aurum.api.cache.response import CachedResponse
from aurum.common.cache import Cache, CacheEntry
from aurum.common.resilience.breaker import BreakerState
from aurum.common.settings import CacheSettings
from aurum.core.errors import Unavailable
from aurum.storage.ports.changes import Change, ChangeFeed, vouches


@dataclass(slots=True)
class Flight:
    """A response that is being made. ``since``: the cache's mark when it began. ``landed``: the whole response, for the
    requests that wait for it; None when there is none to share. ``outdated``: not shared, because its data changed meanwhile.
    """

    since: int
    landed: asyncio.Future[CachedResponse | None]
    outdated: bool = False

    def land(self, kept: CachedResponse | None) -> None:
        if not self.landed.done():
            self.landed.set_result(kept)


@dataclass(slots=True)
class ResponseStore:
    """What the layer works with: made once a process, in ``wiring``."""

    cache: Cache[CachedResponse]
    feed: ChangeFeed
    settings: CacheSettings
    flights: dict[Key, Flight] = field(default_factory=dict)
    renewals: set[asyncio.Task[None]] = field(default_factory=set)
    refused: int = 0
    """Requests that the store was not asked for, because it does not answer."""
    interruptions: int = 0

    def current(self, key: Key, now: float) -> CacheEntry[CachedResponse] | None:
        """Return the cached response under exactly this key, while it is fresh and the change feed vouches for it.

        ``now``: ``time.monotonic`` seconds.
        """
        entry = self.cache.local.get(key)
        if entry is None or entry.invalid or now >= entry.fresh_until or not vouches(self.feed, now):
            return None
        return entry

    def changed(self, change: Change) -> None:
        """Forget what a change of the store makes wrong."""
        tags = tags_changed(change)
        if tags is None:
            self.interruptions += 1
            self.cache.forget_all()
        elif tags:
            self.cache.forget(tags)

    async def vouched(self) -> bool:
        """Whether the feed has told of all changes up to a moment ago; asks it when it has fallen behind."""
        if vouches(self.feed, time.monotonic()):
            return True
        try:
            await self.feed.catch_up()
        except Unavailable:
            return False
        return True

    @property
    def name(self) -> str:
        """Of the dependency that this is the circuit breaker of."""
        return "store"

    def state(self) -> BreakerState:
        """The feed tries the store for all: while it does not answer, no request asks it."""
        closed = vouches(self.feed, time.monotonic())
        return BreakerState(self.name, "closed" if closed else "open", 0, self.refused, self.interruptions)
