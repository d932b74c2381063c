"""A cache tier behind a circuit breaker: while the tier does not answer, requests do not wait for it."""

from __future__ import annotations

from collections.abc import Iterable

from aurum.common.cache.tier import Stored, Tier, TierUnavailable
from aurum.common.resilience.breaker import Breaker
from aurum.common.resilience.errors import CircuitOpen


class GuardedTier:
    """A ``Tier`` that calls another one through a breaker.

    ``breaker``: must count ``TierUnavailable``. While it is open, ``get`` and ``put`` raise ``TierUnavailable`` at once.
    """

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
            raise TierUnavailable(error.detail) from error

    async def put(self, key: str, content: bytes, *, fresh_s: float, tags: Iterable[str]) -> None:
        try:
            with self._breaker.guard():
                await self._tier.put(key, content, fresh_s=fresh_s, tags=tags)
        except CircuitOpen as error:
            raise TierUnavailable(error.detail) from error

    async def forget(self, tags: Iterable[str]) -> int:
        # Not through the breaker: when an operator invalidates entries, the tier has to be tried.
        return await self._tier.forget(tags)
