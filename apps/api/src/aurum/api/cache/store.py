"""The cached responses of a process, and the responses under way."""

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
    """A response under way. ``since``: the mark of the cache when it began. ``landed``: the complete response, for the
    requests that wait for it; None when it cannot be shared. ``outdated``: its data changed meanwhile, so it is not shared.
    """

    since: int
    landed: asyncio.Future[CachedResponse | None]
    outdated: bool = False

    def land(self, response: CachedResponse | None) -> None:
        if not self.landed.done():
            self.landed.set_result(response)


@dataclass(slots=True)
class ResponseStore:
    """The responses of one process: cached, under way (``flights``) and being renewed. ``wiring`` makes it.

    ``refused``: requests refused because the store does not answer. ``interruptions``: interruptions of the change feed;
    each emptied the cache.
    """

    cache: Cache[CachedResponse]
    feed: ChangeFeed
    settings: CacheSettings
    flights: dict[Key, Flight] = field(default_factory=dict)
    renewals: set[asyncio.Task[None]] = field(default_factory=set)
    refused: int = 0
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
        """Remove the responses that a change of the store makes wrong: a listener of the change feed."""
        tags = tags_changed(change)
        if tags is None:
            self.interruptions += 1
            self.cache.forget_all()
        elif tags:
            self.cache.forget(tags)

    async def vouched(self) -> bool:
        """Return whether the change feed is current; a feed that lags catches up first."""
        if vouches(self.feed, time.monotonic()):
            return True
        try:
            await self.feed.catch_up()
        except Unavailable:
            return False
        return True

    @property
    def name(self) -> str:
        """The dependency whose circuit breaker this is."""
        return "store"

    def state(self) -> BreakerState:
        """Return the state of that circuit breaker: open while the change feed cannot reach the store."""
        closed = vouches(self.feed, time.monotonic())
        return BreakerState(self.name, "closed" if closed else "open", 0, self.refused, self.interruptions)
