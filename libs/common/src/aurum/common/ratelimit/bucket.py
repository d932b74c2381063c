"""Token buckets: each window has a level that falls by one with each request and rises evenly with time.

https://en.wikipedia.org/wiki/Token_bucket. Pure: the caller passes the time, in seconds of any epoch.
"""

from __future__ import annotations

from collections.abc import Sequence

from aurum.common.ratelimit.window import Limits

FULL_REQUEST = 1.0 - 1e-9
"""Level from which a request is admitted: one that was refilled for exactly the time it needs may be short by rounding."""


class Bucket:
    """The levels of the windows of one key. ``share``: this process's part of the limits, above 0 and at most 1.

    A request is admitted when the level of every window is at least 1; it then lowers each level by 1. A refused request
    lowers none.
    """

    __slots__ = ("_capacities", "_indexes", "_levels", "_rates", "at", "limits", "share")

    def __init__(self, limits: Limits, now: float, *, share: float = 1.0) -> None:
        self.limits = limits
        self.share = share
        self.at = now
        self._indexes = range(len(limits))
        self._capacities = [max(1.0, window.capacity * share) for window in limits]
        self._rates = [window.rate * share for window in limits]
        self._levels = list(self._capacities)

    @property
    def at_last_take(self) -> Sequence[float]:
        """The level of each window after the last request."""
        return self._levels

    def take(self, now: float) -> bool:
        """Admit one request and return True, or refuse it and return False."""
        levels = self._levels
        capacities = self._capacities
        elapsed = now - self.at
        self.at = now
        is_admitted = True
        for i in self._indexes:
            level = levels[i]
            if level < capacities[i]:
                level += elapsed * self._rates[i]
                if level > capacities[i]:
                    level = capacities[i]
                levels[i] = level
            if level < FULL_REQUEST:
                is_admitted = False
        if is_admitted:
            for i in self._indexes:
                levels[i] -= 1.0
        return is_admitted

    def give_back(self) -> None:
        """Undo one ``take`` that admitted a request."""
        for i in self._indexes:
            self._levels[i] += 1.0

    def levels(self, now: float) -> list[float]:
        """Return the level of each window, in requests; a negative level is debt."""
        self._refill(now)
        return list(self._levels)

    def set_levels(self, levels: Sequence[float], now: float) -> None:
        """Replace the levels. A level above the capacity may be spent, and is not refilled until it is below the capacity."""
        self.at = now
        self._levels[:] = levels

    def resize(self, limits: Limits, share: float, now: float) -> None:
        """Replace the limits or the share of them; requests already used stay used, up to the new capacities."""
        self._refill(now)
        used = {window.name: self._capacities[i] - self._levels[i] for i, window in enumerate(self.limits)}
        # With another share of the same limits, the same fraction of each window is used.
        scale = share / self.share if limits is self.limits else 1.0
        self.limits, self.share = limits, share
        self._indexes = range(len(limits))
        self._capacities = [max(1.0, window.capacity * share) for window in limits]
        self._rates = [window.rate * share for window in limits]
        self._levels = [
            max(0.0, capacity - max(0.0, used.get(window.name, 0.0)) * scale)
            for window, capacity in zip(limits, self._capacities, strict=True)
        ]

    def used(self, now: float) -> list[float]:
        """Return how far each window is below its capacity, in requests."""
        self._refill(now)
        return [max(0.0, self._capacities[i] - self._levels[i]) for i in self._indexes]

    def is_full(self, now: float) -> bool:
        """Return whether every window is at its capacity, as in a new bucket."""
        self._refill(now)
        return all(self._levels[i] >= self._capacities[i] for i in self._indexes)

    def _refill(self, now: float) -> None:
        elapsed = now - self.at
        self.at = now
        for i in self._indexes:
            if self._levels[i] < self._capacities[i]:
                self._levels[i] = min(self._levels[i] + elapsed * self._rates[i], self._capacities[i])
