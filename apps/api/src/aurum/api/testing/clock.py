"""A clock for tests, which stands still until a test moves it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass
class MovableClock:
    """A clock that returns ``at``, in UTC; a test may change it."""

    at: datetime

    def now(self) -> datetime:
        return self.at
