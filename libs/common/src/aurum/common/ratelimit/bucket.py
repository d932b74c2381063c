"""Token buckets: for each window a level of requests that falls by one with each and rises evenly with time.

https://en.wikipedia.org/wiki/Token_bucket. Pure: whoever asks says what time it is, in seconds of any epoch.
"""

from __future__ import annotations

from collections.abc import Sequence

from aurum.common.ratelimit.window import Limits


class Bucket:
    """The windows of one key. ``share``: the part of the limits that is this process's, above 0 and at most 1.

    A request is let in when every window has one to give, and then takes one of each; one that is refused takes none.
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
        """What each window had to give after the last request."""
        return self._levels

    def take(self, now: float) -> bool:
        """Let one request in, or refuse it."""
        levels = self._levels
        capacities = self._capacities
        elapsed = now - self.at
        self.at = now
        let_in = True
        for i in self._indexes:
            level = levels[i]
            if level < capacities[i]:
                level += elapsed * self._rates[i]
                if level > capacities[i]:
                    level = capacities[i]
                levels[i] = level
            if level < 1.0:
                let_in = False
        if let_in:
            for i in self._indexes:
                levels[i] -= 1.0
        return let_in

    def give_back(self) -> None:
        """Undo one ``take`` that let in."""
        for i in self._indexes:
            self._levels[i] += 1.0

    def levels(self, now: float) -> list[float]:
        """What each window has to give, in requests; below 0 is debt."""
        self._refill(now)
        return list(self._levels)

    def set_levels(self, levels: Sequence[float], now: float) -> None:
        """Have these levels from now on. One above the capacity stays until it is used, and does not rise."""
        self.at = now
        self._levels[:] = levels

    def resize(self, limits: Limits, share: float, now: float) -> None:
        """Have other limits, or another share of them: what was used stays used, as far as the new ones reach."""
        self._refill(now)
        used = {window.name: self._capacities[i] - self._levels[i] for i, window in enumerate(self.limits)}
        # Another share of the same limits: what was used is the same part of it.
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
        """What is missing from each window, in requests."""
        self._refill(now)
        return [max(0.0, self._capacities[i] - self._levels[i]) for i in self._indexes]

    def is_full(self, now: float) -> bool:
        """Whether it holds what a new one would hold."""
        self._refill(now)
        return all(self._levels[i] >= self._capacities[i] for i in self._indexes)

    def _refill(self, now: float) -> None:
        elapsed = now - self.at
        self.at = now
        for i in self._indexes:
            if self._levels[i] < self._capacities[i]:
                self._levels[i] = min(self._levels[i] + elapsed * self._rates[i], self._capacities[i])
