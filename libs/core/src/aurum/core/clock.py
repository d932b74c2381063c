"""The interface of clocks. Code receives a clock instead of reading the time; ``aurum.common.clock`` has the real one."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the present instant, with UTC as its time zone."""
        ...
