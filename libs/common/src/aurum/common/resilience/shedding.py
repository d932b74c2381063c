"""Load shedding: when answers are late already, a part of what comes is refused at once, for the sake of the rest.

The part grows by a tenth every quarter of the window while it is too slow, and shrinks as fast when it is not; a tenth is
always let in, or nobody would notice that it is over.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

_STEP = 0.1
_MOST = 0.9
_LEAST_SAMPLES = 20
"""Fewer say nothing of a percentile."""
_MOST_SAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class SheddingState:
    """``refusing``: the part of requests that is refused now, 0 to 0.9. ``wait_s``: the longest wait of the last quarter
    window; ``p95_s``: until an answer began, in the last window. ``refused``: so far."""

    name: str
    refusing: float
    wait_s: float
    p95_s: float
    refused: int


class Shedding:
    """Decides by the longest wait for a place and by the 95th percentile of times, both in seconds and of the last window.

    Tell it with ``waited`` and ``took``; ask it with ``refuses``. ``clock``: seconds of any epoch.
    """

    def __init__(
        self,
        name: str,
        *,
        most_wait_s: float,
        most_p95_s: float,
        window_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._most_wait_s = most_wait_s
        self._most_p95_s = most_p95_s
        self._window_s = window_s
        self._clock = clock
        self._times: deque[tuple[float, float]] = deque(maxlen=_MOST_SAMPLES)
        self._wait_s = self._last_wait_s = self._p95_s = 0.0
        self._part = self._due = 0.0
        self._refused = 0
        self._next_look = clock() + window_s / 4

    @property
    def retry_after(self) -> float:
        """Seconds after which it is likely to be over."""
        return max(1.0, self._window_s)

    def waited(self, seconds: float) -> None:
        """Somebody waited so long for a place, or gave up after so long."""
        self._wait_s = max(self._wait_s, seconds)

    def took(self, seconds: float, now: float) -> None:
        """An answer began after so long."""
        self._times.append((now, seconds))

    def refuses(self, now: float, *, busy: bool = True) -> bool:
        """Whether this one is refused. ``busy``: whether others are there at all whom it would slow down."""
        if now >= self._next_look:
            self._look(now, busy=busy)
        if not self._part:
            return False
        # Spread evenly and not by chance: of ten in a row at a part of 0.3 three are refused.
        self._due += self._part
        if self._due < 1.0:
            return False
        self._due -= 1.0
        self._refused += 1
        return True

    def state(self) -> SheddingState:
        return SheddingState(self.name, self._part, self._last_wait_s, self._p95_s, self._refused)

    def _look(self, now: float, *, busy: bool) -> None:
        looks = 1 + int((now - self._next_look) / (self._window_s / 4))
        self._next_look = now + self._window_s / 4
        while self._times and self._times[0][0] < now - self._window_s:
            self._times.popleft()
        self._p95_s = _percentile([seconds for _, seconds in self._times])
        self._last_wait_s, self._wait_s = self._wait_s, 0.0
        late = self._last_wait_s > self._most_wait_s or (busy and self._p95_s > self._most_p95_s)
        # Quarters in which nobody came count as good ones.
        self._part = min(self._part + _STEP, _MOST) if late else max(round(self._part - _STEP * looks, 6), 0.0)


def _percentile(seconds: list[float]) -> float:
    """The 95th; 0 of too few."""
    if len(seconds) < _LEAST_SAMPLES:
        return 0.0
    return sorted(seconds)[int(len(seconds) * 0.95)]
