"""The only "now". The domain is given a clock; ``SystemClock`` lives in ``aurum.common.clock``."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...
