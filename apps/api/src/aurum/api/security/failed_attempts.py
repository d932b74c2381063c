"""How often an address may fail to say who it is: each failure may cost the store a look-up."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from time import monotonic

from cachetools import LRUCache

from aurum.common.ratelimit import Bucket, Limits, Window

_MOST = 10_000
"""Addresses remembered; of more, those that failed longest ago begin anew."""
_MINUTE_S = 60.0
_NETWORK_BITS = 64
"""Of an IPv6 address: what is behind them is one customer's to choose."""


class FailedAttempts:
    """Failures by address, of this process alone. ``per_minute``: of each; 0: any number.

    Who is known to be let in is never asked about: neighbours behind one address do not pay for each other's.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._limits: Limits = (Window("minute", per_minute, _MINUTE_S, float(per_minute)),) if per_minute else ()
        self._clock = clock
        self._buckets: LRUCache[str, Bucket] = LRUCache(_MOST)

    def failed(self, address: str) -> None:
        """Count a failure."""
        if self._limits:
            key, now = _network(address), self._clock()
            bucket = self._buckets.get(key) or Bucket(self._limits, now)
            bucket.take(now)
            self._buckets[key] = bucket

    def wait(self, address: str) -> float:
        """Seconds until an address may fail again; 0 when it may now."""
        bucket = self._buckets.get(_network(address))
        if bucket is None:
            return 0.0
        (level,) = bucket.levels(self._clock())
        return max(0.0, (1.0 - level) / self._limits[0].rate)


def _network(address: str) -> str:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return address if parsed.version == 4 else str(int(parsed) >> (128 - _NETWORK_BITS))
