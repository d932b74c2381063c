"""Answers to requests with an Idempotency-Key, in a dictionary."""

from __future__ import annotations

from datetime import datetime, timedelta

from aurum.core.clock import Clock
from aurum.storage.ports.idempotency import EarlierRequest, StoredAnswer


class MemoryIdempotencyStore:
    """``IdempotencyStore`` in memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[tuple[str, str], tuple[EarlierRequest, datetime]] = {}

    async def begin(self, tenant: str, key: str, fingerprint: bytes, *, claim_s: float) -> EarlierRequest | None:
        now = self._clock.now()
        entry = self._entries.get((tenant, key))
        if entry is not None and entry[1] > now:
            return entry[0]
        self._entries[tenant, key] = EarlierRequest(fingerprint, None), now + timedelta(seconds=claim_s)
        return None

    async def finish(self, tenant: str, key: str, answer: StoredAnswer, *, keep_s: float) -> None:
        entry = self._entries.get((tenant, key))
        if entry is not None and entry[0].answer is None:
            earlier = EarlierRequest(entry[0].fingerprint, answer)
            self._entries[tenant, key] = earlier, self._clock.now() + timedelta(seconds=keep_s)

    async def give_up(self, tenant: str, key: str) -> None:
        entry = self._entries.get((tenant, key))
        if entry is not None and entry[0].answer is None:
            del self._entries[tenant, key]

    async def sweep(self) -> int:
        now = self._clock.now()
        expired = [key for key, (_, expires_at) in self._entries.items() if expires_at <= now]
        for key in expired:
            del self._entries[key]
        return len(expired)
