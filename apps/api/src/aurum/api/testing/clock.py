"""A clock that stands still until it is moved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass
class MovableClock:
    """Says ``at``, UTC, which a test may change."""

    at: datetime

    def now(self) -> datetime:
        return self.at
