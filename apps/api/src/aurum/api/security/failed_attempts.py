"""A limit on failed authentications of an address: each failure may cost the store a look-up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

from cachetools import LRUCache

from aurum.common.addresses import embedded_ipv4, parse_address
from aurum.common.ratelimit import Bucket, Limits, Window

_MOST = 10_000
"""Number of addresses remembered; above it, those that failed longest ago are forgotten."""
_MINUTE_S = 60.0
_CHECKS_AT_ONCE = 2
"""Look-ups under way for all addresses over the limit together: few enough to leave the store to the others."""
_NETWORK_BITS = 64
"""Bits of an IPv6 address that count: one customer chooses the others."""


class FailedAttempts:
    """Failed authentications by address, counted in this process. ``per_minute``: limit of each address; 0: no limit.

    It refuses requests whose credential is missing or was found to be bad. A good one is never refused for the failures of
    other clients behind its address: ``checks`` bounds what their look-ups cost instead.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._limits: Limits = (Window("minute", per_minute, _MINUTE_S, float(per_minute)),) if per_minute else ()
        self._clock = clock
        self._buckets: LRUCache[str, Bucket] = LRUCache(_MOST)
        self.checks = asyncio.Semaphore(_CHECKS_AT_ONCE)
        """Held for the look-up of a credential from an address over the limit."""

    def failed(self, address: str) -> None:
        """Count a failure."""
        if self._limits:
            key, now = _network(address), self._clock()
            bucket = self._buckets.get(key) or Bucket(self._limits, now)
            bucket.take(now)
            self._buckets[key] = bucket

    def wait(self, address: str) -> float:
        """Return the seconds until an address may try again; 0 when it may now."""
        bucket = self._buckets.get(_network(address))
        if bucket is None:
            return 0.0
        (level,) = bucket.levels(self._clock())
        return max(0.0, (1.0 - level) / self._limits[0].rate)


def _network(address: str) -> str:
    parsed = parse_address(address)
    if parsed is None:
        return address
    ipv4 = embedded_ipv4(parsed)
    if parsed.version == 4 or ipv4 is not None:
        return str(ipv4 or parsed)
    return str(int(parsed) >> (128 - _NETWORK_BITS))
