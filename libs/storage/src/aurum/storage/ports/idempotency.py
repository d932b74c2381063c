"""Stored answers to requests that a client may send twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The stored answer to a request. ``headers``: names and values."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class EarlierRequest:
    """An earlier request with the same key: its ``fingerprint``, and its ``answer``, None while it is under way."""

    fingerprint: bytes
    answer: StoredAnswer | None


class IdempotencyStore(Protocol):
    """Answers by tenant and key, each for a limited time. All methods raise ``Unavailable`` when the store does not answer."""

    async def begin(self, tenant: str, key: str, fingerprint: bytes, *, claim_s: float) -> EarlierRequest | None:
        """Claim a key for a request: return None when the claim succeeds, else the earlier request with this key.

        A claim that is neither finished nor given up ends after ``claim_s`` seconds: its process has probably died.
        """
        ...

    async def finish(self, tenant: str, key: str, answer: StoredAnswer, *, keep_s: float) -> None:
        """Store the answer of a claimed key for ``keep_s`` seconds."""
        ...

    async def give_up(self, tenant: str, key: str) -> None:
        """Release a claimed key, so that the request may be sent again."""
        ...

    async def sweep(self) -> int:
        """Delete expired entries and return their number."""
        ...
