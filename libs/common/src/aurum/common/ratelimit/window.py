"""How often somebody may ask: windows of time, each with a number of requests."""

from __future__ import annotations

import math
from dataclasses import dataclass

MINUTE_S, HOUR_S, DAY_S = 60.0, 3_600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Window:
    """``limit`` requests every ``seconds``, evenly refilled; ``capacity`` of them at once after a rest (at least 1)."""

    name: str
    limit: int
    seconds: float
    capacity: float

    def __post_init__(self) -> None:
        if self.limit < 1 or self.capacity < 1 or self.seconds <= 0:
            raise ValueError(f"a window lets nobody in: {self}")

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.limit / self.seconds

    @property
    def refill_s(self) -> float:
        """Seconds from empty to full."""
        return self.capacity / self.rate


Limits = tuple[Window, ...]
"""All of them hold together. Not empty."""


def plan_limits(*, per_minute: int, per_hour: int, per_day: int, burst: float) -> Limits:
    """The windows of a plan; ``burst`` times a minute's share may come at once, as far as hour and day allow."""
    return (
        Window("minute", per_minute, MINUTE_S, max(1.0, per_minute * burst)),
        Window("hour", per_hour, HOUR_S, float(per_hour)),
        Window("day", per_day, DAY_S, float(per_day)),
    )


def rate_limits(per_second: float) -> Limits:
    """One rate, for everybody together; a second's share may come at once."""
    whole = max(1, math.ceil(per_second))
    return (Window("second", whole, whole / per_second, float(whole)),)
