"""The manager of the tiers: look up, make once, keep, forget."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

import structlog

from aurum.common.cache.entry import CacheEntry, Tally
from aurum.common.cache.local import LocalCache
from aurum.common.cache.tier import Tier, TierAway
from aurum.common.resilience.timeout import NEVER, set_deadline

T = TypeVar("T")

_REMEMBERED_S = 120.0
"""Longer than anything takes to make: so long the manager knows which tags were forgotten when."""

_STORED_AT_ONCE = 64
"""More are dropped: a tier that is slow must not gather what it has yet to take."""

_log = structlog.get_logger(__name__)


class Cache(Generic[T]):
    """``local`` first, then ``tiers`` in order, for what is worth it.

    The local tier holds what the process serves from (``T``); the others hold bytes under keys that name their version, so
    nothing there is ever wrong, only out of use.
    """

    def __init__(
        self,
        local: LocalCache[T],
        *,
        tiers: Sequence[tuple[Tier, float]] = (),
        fresh_s: float = 3600,
        most_bytes: int = 4 << 20,
    ) -> None:
        """``tiers``: each with the seconds that making something must have taken for it to be kept there.

        ``most_bytes``: what is longer is kept in no tier.
        """
        self.local = local
        self.tallies: dict[tuple[str, str], Tally] = {}
        """By tier and keyspace."""
        self._tiers = tiers
        self._fresh_s = fresh_s
        self._most_bytes = most_bytes
        self._storing: set[asyncio.Task[None]] = set()
        self._flights: dict[str, asyncio.Task[bytes]] = {}
        self._sequence = 0
        self._all_forgotten = 0
        self._let_go = 0
        """The newest event of which it is no longer known what was forgotten."""
        self._forgotten: dict[str, tuple[int, float]] = {}

    def tally(self, tier: str, keyspace: str) -> Tally:
        """The counts of a keyspace in a tier: ``local``, ``flight`` (somebody was making it already) or that of a tier."""
        return self.tallies.setdefault((tier, keyspace), Tally())

    def mark(self) -> int:
        """A point in the order of events, to be taken before something is made and given to ``keep``."""
        return self._sequence

    def keep(self, key: Hashable, entry: CacheEntry[T], *, since: int) -> bool:
        """Keep what was begun at the mark ``since``, unless a tag of it was forgotten meanwhile; whether it was kept."""
        if max(self._all_forgotten, self._let_go) > since or any(
            self._forgotten.get(tag, (0, 0.0))[0] > since for tag in entry.tags
        ):
            return False
        self.local.put(key, entry)
        return True

    def forget(self, tags: Iterable[str]) -> int:
        """What bears one of the tags is invalid from now on; how many entries that were.

        They stay, for the case that nothing newer can be made.
        """
        self._sequence += 1
        now = time.monotonic()
        tags = list(tags)
        for tag in tags:
            self._forgotten[tag] = (self._sequence, now)
        if len(self._forgotten) > 10_000:
            old = [told[0] for told in self._forgotten.values() if told[1] <= now - _REMEMBERED_S]
            self._let_go = max(old, default=self._let_go)
            self._forgotten = {tag: told for tag, told in self._forgotten.items() if told[1] > now - _REMEMBERED_S}
        return _invalidate(self.local.tagged(tags))

    def forget_all(self) -> int:
        """Everything is invalid from now on."""
        self._sequence += 1
        self._all_forgotten = self._sequence
        self._forgotten.clear()
        return _invalidate(self.local.everything())

    async def forget_everywhere(self, tags: Iterable[str]) -> int:
        """``forget``, and drop it from the other tiers too."""
        tags = list(tags)
        found = self.forget(tags)
        for tier, _ in self._tiers:
            try:
                found += await tier.forget(tags)
            except TierAway as error:
                _log.warning("cache tier is away", tier=tier.name, reason=str(error))
        return found

    async def made(self, keyspace: str, key: str, make: Callable[[], Awaitable[bytes]], *, tags: Iterable[str]) -> bytes:
        """The content of a key that names its version: from a tier, or made, once for all who ask at the same time."""
        flight = self._flights.get(key)
        if flight is None:
            # A task of its own: whoever asked first may hang up, and the others still wait for it.
            flight = self._flights[key] = asyncio.create_task(self._found_or_made(keyspace, key, make, tags))
            flight.add_done_callback(lambda _: self._flights.pop(key))
        else:
            self.tally("flight", keyspace).hits += 1
        return await asyncio.shield(flight)

    async def _found_or_made(self, keyspace: str, key: str, make: Callable[[], Awaitable[bytes]], tags: Iterable[str]) -> bytes:
        # The deadline is that of who asked first; others wait for this too, each by his own.
        set_deadline(NEVER)
        name = f"{keyspace}:{key}"
        for place, (tier, _) in enumerate(self._tiers):
            content = await self._from(tier, keyspace, name)
            if content is not None:
                self._store([nearer for nearer, _ in self._tiers[:place]], name, content, tags)
                return content
        started = time.perf_counter()
        content = await make()
        took = time.perf_counter() - started
        self._store([tier for tier, worth_s in self._tiers if took >= worth_s], name, content, tags)
        return content

    async def stored(self, *, within_s: float = 2.0) -> None:
        """Return when all that was made before is in its tiers, or after ``within_s`` seconds."""
        if self._storing:
            await asyncio.wait(list(self._storing), timeout=within_s)

    def _store(self, tiers: Sequence[Tier], name: str, content: bytes, tags: Iterable[str]) -> None:
        """Put beside the answer: nobody waits for what saves time to others."""
        if not tiers or len(content) > self._most_bytes or len(self._storing) >= _STORED_AT_ONCE:
            return
        task = asyncio.create_task(self._to_all(tiers, name, content, tags))
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    async def _to_all(self, tiers: Sequence[Tier], name: str, content: bytes, tags: Iterable[str]) -> None:
        for tier in tiers:
            await self._to(tier, name, content, tags)

    async def _from(self, tier: Tier, keyspace: str, name: str) -> bytes | None:
        try:
            stored = await tier.get(name)
        except TierAway:
            return None
        tally = self.tally(tier.name, keyspace)
        if stored is None:
            tally.misses += 1
            return None
        tally.hits += 1
        return stored.content

    async def _to(self, tier: Tier, name: str, content: bytes, tags: Iterable[str]) -> None:
        try:
            await tier.put(name, content, fresh_s=self._fresh_s, tags=tags)
        except TierAway as error:
            _log.warning("cache tier is away", tier=tier.name, reason=str(error))


def _invalidate(entries: Iterable[CacheEntry[T]]) -> int:
    count = 0
    for entry in entries:
        count += not entry.invalid
        entry.invalid = True
    return count
