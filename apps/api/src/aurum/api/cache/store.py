"""The cached responses of a process, and those that are being made."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from aurum.api.cache.caching import tags_changed
from aurum.api.cache.key import Key
from aurum.api.cache.response import CachedResponse
from aurum.common.cache import Cache
from aurum.common.resilience.breaker import BreakerState
from aurum.common.settings import CacheSettings
from aurum.core.errors import Unavailable
from aurum.storage.ports.changes import Change, ChangeFeed

VOUCHED_S = 1.0
"""No answer is older than its data for longer than this."""


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
        if time.monotonic() - self.feed.told_until < VOUCHED_S:
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
        closed = time.monotonic() - self.feed.told_until < VOUCHED_S
        return BreakerState(self.name, "closed" if closed else "open", 0, self.refused, self.interruptions)
