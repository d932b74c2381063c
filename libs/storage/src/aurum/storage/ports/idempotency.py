"""Answers to requests that may be sent twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What a request was answered with. ``headers``: names and values."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is known of a key: the ``fingerprint`` of the request that came with it; its ``answer``, None while under way."""

    fingerprint: bytes
    answer: StoredAnswer | None


class IdempotencyStore(Protocol):
    """Answers by tenant and key, for a while. All methods raise ``Unavailable`` when the store does not answer."""

    async def begin(self, tenant: str, key: str, fingerprint: bytes, *, claim_s: float) -> Earlier | None:
        """Claim a key for a request; None when it is this request's now, else what came with the key before.

        A claim that was neither finished nor given up ends after ``claim_s`` seconds: whoever held it is gone.
        """
        ...

    async def finish(self, tenant: str, key: str, answer: StoredAnswer, *, keep_s: float) -> None:
        """Keep the answer of a claimed key."""
        ...

    async def give_up(self, tenant: str, key: str) -> None:
        """Let go of a claimed key: the request may be sent again."""
        ...

    async def sweep(self) -> int:
        """Drop what is out of date; how many that were."""
        ...
