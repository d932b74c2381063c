"""The states of a job, and the queues that jobs wait in.

    queued ──▶ running ──▶ succeeded
      ▲  │        │ │ └───▶ cancelled
      │  └────────┼─┼─────▶ cancelled      cancelled before it began
      │           │ └─────▶ parked         failed for good, or ended its process too often
      └───────────┘                        another attempt, at ``run_after`` or at once

An operator queues parked and cancelled jobs again, and drops parked ones.
"""

from __future__ import annotations

from enum import StrEnum


class JobState(StrEnum):
    """The state of a job in the log. A queued job whose ``run_after`` lies ahead is also called delayed."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARKED = "parked"
    CANCELLED = "cancelled"

    @property
    def has_ended(self) -> bool:
        """Whether no worker touches the job any more."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


class Queue(StrEnum):
    """A queue. Workers reserve places for each, so that a long load never delays what a user waits for."""

    INTERACTIVE = "interactive"
    """Somebody waits for the result."""
    BULK = "bulk"
    """Loads, fetches and backfills."""
    MAINTENANCE = "maintenance"
    """Archive, models, checks and clean-up."""
