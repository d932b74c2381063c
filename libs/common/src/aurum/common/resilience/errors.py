"""Errors with which the resilience package refuses work; the same call may succeed after ``retry_after`` seconds.

Refused
├── CircuitOpen        a dependency has failed repeatedly and is not called for a while
├── QueueFull          the queue for a place is full
├── WaitedTooLong      no place became free in time
├── Shed               answers take too long already
└── DeadlinePassed     no time is left
"""

from __future__ import annotations


class Refused(Exception):
    """Work that was not started, or was given up. ``detail``: one sentence for a person. ``retry_after``: seconds, positive."""

    def __init__(self, detail: str, *, retry_after: float) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after


class CircuitOpen(Refused):
    """A dependency has failed so often that it is not called for a while."""


class QueueFull(Refused):
    """The queue for a place is full."""


class WaitedTooLong(Refused):
    """No place became free in time."""


class Shed(Refused):
    """Answers take too long already, so some requests are refused."""


class DeadlinePassed(Refused):
    """The deadline of the work has passed."""
