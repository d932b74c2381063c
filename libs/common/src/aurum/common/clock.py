"""The clock of the machine. Only this module reads it."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """Wall-clock time; implements ``aurum.core.clock.Clock``."""

    def now(self) -> datetime:
        """Return the present instant, with UTC as its time zone."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock
