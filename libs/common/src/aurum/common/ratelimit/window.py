"""Windows of a rate limit: how many requests a caller may make in a length of time."""

from __future__ import annotations

import math
from dataclasses import dataclass

MINUTE_S, HOUR_S, DAY_S = 60.0, 3_600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Window:
    """A limit of ``limit`` requests every ``seconds``, refilled evenly.

    ``capacity``: requests that may come at once when the window is full (at least 1).
    """

    name: str
    limit: int
    seconds: float
    capacity: float

    def __post_init__(self) -> None:
        if self.limit < 1 or self.capacity < 1 or self.seconds <= 0:
            raise ValueError(f"a window must admit requests: limit and capacity of at least 1, seconds above 0, got {self}")

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.limit / self.seconds

    @property
    def refill_s(self) -> float:
        """Seconds in which an empty window becomes full."""
        return self.capacity / self.rate


Limits = tuple[Window, ...]
"""Windows that all hold at the same time; at least one."""


def plan_limits(*, per_minute: int, per_hour: int, per_day: int, burst: float) -> Limits:
    """Return the windows of a plan: minute, hour and day.

    ``burst`` times the limit of a minute may come at once, as far as the hour and the day allow.
    """
    return (
        Window("minute", per_minute, MINUTE_S, max(1.0, per_minute * burst)),
        Window("hour", per_hour, HOUR_S, float(per_hour)),
        Window("day", per_day, DAY_S, float(per_day)),
    )


def rate_limits(per_second: float) -> Limits:
    """Return the window of a rate that all callers share; the requests of one second may come at once."""
    whole = max(1, math.ceil(per_second))
    return (Window("second", whole, whole / per_second, float(whole)),)
