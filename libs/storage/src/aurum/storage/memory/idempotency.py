"""Answers to requests with an Idempotency-Key, in a dictionary."""

from __future__ import annotations

from datetime import datetime, timedelta

from aurum.core.clock import Clock
from aurum.storage.ports.idempotency import Earlier, StoredAnswer


class MemoryIdempotencyStore:
    """``IdempotencyStore`` in memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[Earlier, datetime]] = {}

    async def begin(self, tenant: str, key: str, fingerprint: bytes, *, claim_s: float) -> Earlier | None:
        now = self._clock.now()
        found = self._kept.get((tenant, key))
        if found is not None and found[1] > now:
            return found[0]
        self._kept[tenant, key] = Earlier(fingerprint, None), now + timedelta(seconds=claim_s)
        return None

    async def finish(self, tenant: str, key: str, answer: StoredAnswer, *, keep_s: float) -> None:
        found = self._kept.get((tenant, key))
        if found is not None and found[0].answer is None:
            earlier = Earlier(found[0].fingerprint, answer)
            self._kept[tenant, key] = earlier, self._clock.now() + timedelta(seconds=keep_s)

    async def give_up(self, tenant: str, key: str) -> None:
        found = self._kept.get((tenant, key))
        if found is not None and found[0].answer is None:
            del self._kept[tenant, key]

    async def sweep(self) -> int:
        now = self._clock.now()
        old = [key for key, (_, ends) in self._kept.items() if ends <= now]
        for key in old:
            del self._kept[key]
        return len(old)
