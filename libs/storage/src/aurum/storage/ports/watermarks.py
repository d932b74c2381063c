"""Watermarks of fetches: up to which day each dataset was fetched, and what became of each day.

All methods raise ``Unavailable`` when the store does not answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol


class FetchState(StrEnum):
    """How the fetches of a dataset stand, as its last attempt left it."""

    OK = "ok"
    """All that is usually published by now was fetched."""
    DUE = "due"
    """Something is due, and its publisher does not have it yet."""
    LATE = "late"
    """The same, for longer than the grace."""
    FAILING = "failing"
    """The last attempt failed: the publisher did not answer, refused, or sent a file that was refused."""


class DayState(StrEnum):
    """The outcome of a day."""

    LOADED = "loaded"
    """Its file was fetched and loaded."""
    MISSING = "missing"
    """Its publisher has no file for it, although later days are there."""
    REFUSED = "refused"
    """Its file was fetched and refused."""
    FAILED = "failed"
    """It could not be fetched."""

    @property
    def is_done(self) -> bool:
        """Whether a repeated backfill leaves the day out."""
        return self in (DayState.LOADED, DayState.MISSING)


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a dataset was fetched; instants in UTC.

    ``fetched_to``: the last local day up to which every due day was fetched, or is missing at its publisher; None before the
    first. ``last_attempt``, ``last_success``: of fetches. ``next_due``: when the next day is usually published; None without a
    rule. ``reason``: why the state is not ``OK``; empty otherwise.
    """

    source: str
    dataset: str
    fetched_to: date | None = None
    last_attempt: datetime | None = None
    last_success: datetime | None = None
    next_due: datetime | None = None
    state: FetchState = FetchState.DUE
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FetchedDay:
    """A local day of a dataset that was tried. ``at``: the last attempt, UTC. ``reason``: why the day is not loaded."""

    source: str
    dataset: str
    day: date
    state: DayState
    at: datetime
    reason: str = ""


class WatermarkLog(Protocol):
    """Reads of watermarks."""

    async def watermarks(self) -> Sequence[Watermark]:
        """Return the watermarks of all datasets that were ever fetched, ascending by source and dataset."""
        ...

    async def watermark(self, source: str, dataset: str) -> Watermark | None:
        """Return the watermark of a dataset; None when it was never fetched."""
        ...

    async def days(self, source: str, dataset: str, first: date, last: date) -> Sequence[FetchedDay]:
        """Return the days from ``first`` to ``last`` that were tried, ascending."""
        ...


class WatermarkWriter(Protocol):
    """Writes of watermarks within a transaction."""

    async def put(self, watermark: Watermark) -> None:
        """Store the watermark of a dataset, in place of the one before."""
        ...

    async def put_days(self, days: Sequence[FetchedDay]) -> None:
        """Store what became of days. A day that is loaded stays loaded."""
        ...
