"""What a store can do by itself for the rows it holds: chunks, compression, sums, and how long what is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from aurum.core.errors import Invalid


class DataClass(StrEnum):
    """What can be kept for a time of its own."""

    VALUES = "values"
    """Values now known."""
    VERSIONS = "versions"
    """Values that ended: without them, reads as of that far back find nothing."""
    HOURLY = "hourly"
    """Sums by the hour."""


class RetentionTooShort(Invalid):
    """Rows would be dropped that a refresh of the sums still reads, which would drop the sums. Facts: ``days``, ``window``."""


@dataclass(frozen=True, slots=True)
class Policies:
    """What is in force. ``refresh_window``: how far back stale sums are refreshed, None: all of time; what is stale beyond it
    is added up from the rows. ``retention``: by class, of those that are not kept for ever. None elsewhere: no such job.
    """

    compress_after: timedelta | None = None
    refresh_every: timedelta | None = None
    refresh_window: timedelta | None = None
    retention: Mapping[DataClass, timedelta] = field(default_factory=dict[DataClass, timedelta])


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: ``[start, end)``, what it takes on disk, and what it took before it was compressed (None: it is not)."""

    table: str
    start: datetime
    end: datetime
    compressed: bool
    bytes: int
    bytes_before: int | None


@dataclass(frozen=True, slots=True)
class Optimised:
    """``done``: a line for each thing that was done, none when all was so. ``engine``: what does it, under which licence."""

    done: tuple[str, ...]
    engine: str


class StoreTuning(Protocol):
    """Shows and sets what a store does by itself. Raises ``Unavailable`` where it can do nothing, saying what is missing."""

    async def optimize(self) -> Optimised:
        """Bring the store into the best form it can have; a second time does nothing."""
        ...

    async def policies(self) -> Policies:
        """What is in force. Raises ``Forbidden`` where the licence has none, as do all methods."""
        ...

    async def set_policies(
        self,
        *,
        compress_after: timedelta | None = None,
        refresh_window: timedelta | None = None,
        retention: Mapping[DataClass, timedelta | None] | None = None,
    ) -> Policies:
        """Change what is given, all of it or nothing; gives what is in force then.

        ``retention``: by class, None to keep for ever. Raises ``RetentionTooShort``.
        """
        ...

    async def chunks(self) -> list[Chunk]:
        """All chunks, by table and time."""
        ...

    async def intervals(self) -> tuple[timedelta | None, timedelta]:
        """How long chunks to come are (None: nothing is in chunks), and how long they would be chosen today."""
        ...

    async def set_interval(self, interval: timedelta) -> None:
        """How long chunks to come are; those there are stay."""
        ...

    async def compress(self, before: datetime) -> int:
        """Compress every chunk that ended by then, now, corrected ones anew; gives how many there are."""
        ...
