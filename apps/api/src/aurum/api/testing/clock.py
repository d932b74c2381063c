"""A clock that stands still until it is moved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dishka import Provider, Scope

from aurum.core.clock import Clock


@dataclass
class MovableClock:
    """Says ``at``, UTC, which a test may change."""

    at: datetime

    def now(self) -> datetime:
        return self.at


def on_clock(clock: Clock) -> Provider:
    """Puts a clock in the place of the system's; give it to ``serving`` after the store."""
    provider = Provider(scope=Scope.APP)
    provider.provide(lambda: clock, provides=Clock, override=True)
    return provider
