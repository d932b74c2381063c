"""What resilience says no with: nothing here failed itself, so a caller may try again after ``retry_after`` seconds.

Refused
├── CircuitOpen        a dependency has failed often; it is left alone for a moment
├── QueueFull          as many wait for a place as may
├── WaitedTooLong      a place did not become free in time
├── Shed               too slow already for one more
└── DeadlinePassed     no time is left
"""

from __future__ import annotations


class Refused(Exception):
    """Not tried, or given up. ``detail``: one sentence for a person. ``retry_after``: seconds, positive."""

    def __init__(self, detail: str, *, retry_after: float) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after


class CircuitOpen(Refused):
    """A dependency has failed so often that it is left alone."""


class QueueFull(Refused):
    """As many wait for a place as may."""


class WaitedTooLong(Refused):
    """A place did not become free in time."""


class Shed(Refused):
    """Answers take too long already."""


class DeadlinePassed(Refused):
    """There is no time left for this."""
