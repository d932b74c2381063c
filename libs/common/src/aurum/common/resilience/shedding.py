"""Load shedding: while answers are slow, a share of the requests is refused at once, so that the others are served in time.

The share grows by 0.1 each quarter of the window while answers are slow, and shrinks as fast when they are not. At least a
tenth of the requests is always admitted; otherwise no request would show that the overload is over.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

_STEP = 0.1
_MOST = 0.9
_LEAST_SAMPLES = 20
"""Samples from which on a percentile means something."""
_MOST_SAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class SheddingState:
    """Statistics of load shedding.

    ``refusing``: share of requests refused now, 0 to 0.9. ``wait_s``: longest wait for a place in the last quarter of the
    window. ``p95_s``: 95th percentile of the time until an answer began, in the last window. ``refused``: requests so far.
    """

    name: str
    refusing: float
    wait_s: float
    p95_s: float
    refused: int


class Shedding:
    """A load shedder. It compares two measures with their bounds, both in seconds: the longest wait for a place in the last
    quarter of the window, and the 95th percentile of response times in the window.

    Report the measures with ``record_wait`` and ``record_time``, and ask with ``refuses`` for each request. ``clock``: returns
    seconds of any epoch.
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
        self._share = self._due = 0.0
        self._refused = 0
        self._next_look = clock() + window_s / 4

    @property
    def retry_after(self) -> float:
        """The seconds after which the overload is likely to be over."""
        return max(1.0, self._window_s)

    def record_wait(self, seconds: float) -> None:
        """Record how long a request waited for a place, or waited before it gave up."""
        self._wait_s = max(self._wait_s, seconds)

    def record_time(self, seconds: float, now: float) -> None:
        """Record the time until an answer began."""
        self._times.append((now, seconds))

    def refuses(self, now: float, *, busy: bool = True) -> bool:
        """Return whether to refuse this request, and count it if so.

        ``busy``: whether other requests are under way that it would slow down.
        """
        if now >= self._next_look:
            self._look(now, busy=busy)
        if not self._share:
            return False
        # Refusals are spread evenly, not at random: at a share of 0.3, three of ten requests in a row are refused.
        self._due += self._share
        if self._due < 1.0:
            return False
        self._due -= 1.0
        self._refused += 1
        return True

    def state(self) -> SheddingState:
        return SheddingState(self.name, self._share, self._last_wait_s, self._p95_s, self._refused)

    def _look(self, now: float, *, busy: bool) -> None:
        looks = 1 + int((now - self._next_look) / (self._window_s / 4))
        self._next_look = now + self._window_s / 4
        while self._times and self._times[0][0] < now - self._window_s:
            self._times.popleft()
        self._p95_s = _percentile([seconds for _, seconds in self._times])
        self._last_wait_s, self._wait_s = self._wait_s, 0.0
        late = self._last_wait_s > self._most_wait_s or (busy and self._p95_s > self._most_p95_s)
        # Quarters without a request count as good ones.
        self._share = min(self._share + _STEP, _MOST) if late else max(round(self._share - _STEP * looks, 6), 0.0)


def _percentile(seconds: list[float]) -> float:
    """Return the 95th percentile; 0 of fewer than ``_LEAST_SAMPLES`` values."""
    if len(seconds) < _LEAST_SAMPLES:
        return 0.0
    return sorted(seconds)[int(len(seconds) * 0.95)]
