"""The cache over all tiers: looks results up, makes each missing one once, stores and invalidates them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

import structlog

from aurum.common.cache.entry import CacheEntry, Tally
from aurum.common.cache.local import LocalCache
from aurum.common.cache.tier import Tier, TierUnavailable
from aurum.common.resilience.timeout import NEVER, set_deadline

T = TypeVar("T")

_REMEMBERED_S = 120.0
"""How long an invalidated tag is remembered; longer than any result takes to make."""

_MOST_WRITES = 64
"""Writes to the tiers under way at once. Further ones are dropped, so that they do not pile up before a slow tier."""

_log = structlog.get_logger(__name__)


class Cache(Generic[T]):
    """A cache of a local tier and of shared tiers, which are read in order.

    The local tier holds the objects a process serves (``T``), and is written with ``put``. The shared tiers hold bytes under
    keys that contain the version of the data, and are read and written with ``get_or_make``: their entries are never wrong, and
    are no longer read once the version has changed.
    """

    def __init__(
        self,
        local: LocalCache[T],
        *,
        tiers: Sequence[tuple[Tier, float]] = (),
        fresh_s: float = 3600,
        most_bytes: int = 4 << 20,
    ) -> None:
        """``tiers``: each with the least time, in seconds, that a result must have taken to make to be stored there.

        ``fresh_s``: how long an entry of a shared tier is fresh. ``most_bytes``: longer results are stored in no shared tier.
        """
        self.local = local
        self.tallies: dict[tuple[str, str], Tally] = {}
        """Counts of look-ups by (tier, keyspace)."""
        self._tiers = tiers
        self._fresh_s = fresh_s
        self._most_bytes = most_bytes
        self._writes: set[asyncio.Task[None]] = set()
        self._flights: dict[str, asyncio.Task[bytes]] = {}
        """Results being made, by key."""
        self._sequence = 0
        """Number of the last invalidation."""
        self._all_invalidated = 0
        """Number of the last invalidation of all entries."""
        self._last_dropped = 0
        """Number of the newest invalidation whose tags are no longer remembered."""
        self._invalidated: dict[str, tuple[int, float]] = {}
        """Number and time of the last invalidation of each tag."""

    def tally(self, tier: str, keyspace: str) -> Tally:
        """Return the counts of a keyspace in a tier: ``local``, the name of a shared tier, or ``flight``.

        ``flight`` counts the requests for a result that was being made already.
        """
        return self.tallies.setdefault((tier, keyspace), Tally())

    def mark(self) -> int:
        """Return the number of the last invalidation. Take it before a result is made, and pass it to ``put``."""
        return self._sequence

    def put(self, key: Hashable, entry: CacheEntry[T], *, since: int) -> bool:
        """Store an entry in the local tier and return True, unless one of its tags was invalidated after the mark ``since``."""
        if max(self._all_invalidated, self._last_dropped) > since or any(
            self._invalidated.get(tag, (0, 0.0))[0] > since for tag in entry.tags
        ):
            return False
        self.local.put(key, entry)
        return True

    def forget(self, tags: Iterable[str]) -> int:
        """Invalidate the local entries that have one of the tags, and return how many.

        They stay in the cache, to be served when no newer result can be made.
        """
        self._sequence += 1
        now = time.monotonic()
        tags = list(tags)
        for tag in tags:
            self._invalidated[tag] = (self._sequence, now)
        if len(self._invalidated) > 10_000:
            limit = now - _REMEMBERED_S
            self._last_dropped = max(
                (number for number, at in self._invalidated.values() if at <= limit), default=self._last_dropped
            )
            self._invalidated = {tag: (number, at) for tag, (number, at) in self._invalidated.items() if at > limit}
        return _invalidate(self.local.tagged(tags))

    def forget_all(self) -> int:
        """Invalidate all local entries, and return how many."""
        self._sequence += 1
        self._all_invalidated = self._sequence
        self._invalidated.clear()
        return _invalidate(self.local.everything())

    async def forget_everywhere(self, tags: Iterable[str]) -> int:
        """Invalidate the local entries that have one of the tags, delete them from the shared tiers, and return how many."""
        tags = list(tags)
        count = self.forget(tags)
        for tier, _ in self._tiers:
            try:
                count += await tier.forget(tags)
            except TierUnavailable as error:
                _log.warning("cache tier unavailable", tier=tier.name, reason=str(error))
        return count

    async def get_or_make(self, keyspace: str, key: str, make: Callable[[], Awaitable[bytes]], *, tags: Iterable[str]) -> bytes:
        """Return the content of a key, from a shared tier or from ``make``, which runs once for all concurrent requests.

        The key must contain the version of the data.
        """
        flight = self._flights.get(key)
        if flight is None:
            # A task of its own: when the first caller is cancelled, the others still get the result.
            flight = self._flights[key] = asyncio.create_task(self._read_or_make(keyspace, key, make, tags))
            flight.add_done_callback(lambda _: self._flights.pop(key))
        else:
            self.tally("flight", keyspace).hits += 1
        return await asyncio.shield(flight)

    async def _read_or_make(self, keyspace: str, key: str, make: Callable[[], Awaitable[bytes]], tags: Iterable[str]) -> bytes:
        # The task inherits the deadline of the first caller, which must not hold for the others that wait for it.
        set_deadline(NEVER)
        name = f"{keyspace}:{key}"
        for place, (tier, _) in enumerate(self._tiers):
            content = await self._read(tier, keyspace, name)
            if content is not None:
                self._start_writes([nearer for nearer, _ in self._tiers[:place]], name, content, tags)
                return content
        started = time.perf_counter()
        content = await make()
        took = time.perf_counter() - started
        self._start_writes([tier for tier, least_s in self._tiers if took >= least_s], name, content, tags)
        return content

    async def wait_for_writes(self, *, within_s: float = 2.0) -> None:
        """Return when the writes to the shared tiers are done, or after ``within_s`` seconds."""
        if self._writes:
            await asyncio.wait(list(self._writes), timeout=within_s)

    def _start_writes(self, tiers: Sequence[Tier], name: str, content: bytes, tags: Iterable[str]) -> None:
        """Write content to some tiers in the background, so that no request waits for it."""
        if not tiers or len(content) > self._most_bytes or len(self._writes) >= _MOST_WRITES:
            return
        task = asyncio.create_task(self._write_all(tiers, name, content, tags))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    async def _write_all(self, tiers: Sequence[Tier], name: str, content: bytes, tags: Iterable[str]) -> None:
        for tier in tiers:
            await self._write(tier, name, content, tags)

    async def _read(self, tier: Tier, keyspace: str, name: str) -> bytes | None:
        try:
            stored = await tier.get(name)
        except TierUnavailable:
            return None
        tally = self.tally(tier.name, keyspace)
        if stored is None:
            tally.misses += 1
            return None
        tally.hits += 1
        return stored.content

    async def _write(self, tier: Tier, name: str, content: bytes, tags: Iterable[str]) -> None:
        try:
            await tier.put(name, content, fresh_s=self._fresh_s, tags=tags)
        except TierUnavailable as error:
            _log.warning("cache tier unavailable", tier=tier.name, reason=str(error))


def _invalidate(entries: Iterable[CacheEntry[T]]) -> int:
    count = 0
    for entry in entries:
        count += not entry.invalid
        entry.invalid = True
    return count
