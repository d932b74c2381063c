"""A tier behind a circuit breaker: when it is away, nobody waits for it each time."""

from __future__ import annotations

from collections.abc import Iterable

from aurum.common.cache.tier import Stored, Tier, TierAway
from aurum.common.resilience.breaker import Breaker
from aurum.common.resilience.errors import CircuitOpen


class GuardedTier:
    """``Tier`` over another one. ``breaker`` counts ``TierAway``; while it is open the tier is away at once."""

    def __init__(self, tier: Tier, breaker: Breaker) -> None:
        self._tier = tier
        self._breaker = breaker

    @property
    def name(self) -> str:
        return self._tier.name

    async def get(self, key: str) -> Stored | None:
        try:
            with self._breaker.guard():
                return await self._tier.get(key)
        except CircuitOpen as error:
            raise TierAway(error.detail) from error

    async def put(self, key: str, content: bytes, *, fresh_s: float, tags: Iterable[str]) -> None:
        try:
            with self._breaker.guard():
                await self._tier.put(key, content, fresh_s=fresh_s, tags=tags)
        except CircuitOpen as error:
            raise TierAway(error.detail) from error

    async def forget(self, tags: Iterable[str]) -> int:
        # An operator who asks to forget is not spared the wait.
        return await self._tier.forget(tags)
