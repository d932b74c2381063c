"""Maintenance that a store does by itself: chunks, compression, hourly sums and retention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from aurum.core.errors import Invalid


class DataClass(StrEnum):
    """Class of data that has its own retention."""

    VALUES = "values"
    """Current values."""
    VERSIONS = "versions"
    """Superseded values. After they are dropped, reads as of instants that far back return nothing."""
    HOURLY = "hourly"
    """Hourly sums."""


class RetentionTooShort(Invalid):
    """The retention drops rows that a refresh still reads, which would drop hourly sums. Facts: ``days``, ``window``."""


@dataclass(frozen=True, slots=True)
class Policies:
    """Policies in force.

    ``compress_after``, ``refresh_every``: None when the store has no such job. ``refresh_window``: how far back stale sums are
    refreshed, None for all times; stale sums beyond it are added up from the rows. ``retention``: by class; classes that are
    absent are retained for ever.
    """

    compress_after: timedelta | None = None
    refresh_every: timedelta | None = None
    refresh_window: timedelta | None = None
    retention: Mapping[DataClass, timedelta] = field(default_factory=dict[DataClass, timedelta])


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk ``[start, end)``.

    ``bytes``: its size on disk. ``bytes_before``: its size before compression, None when it is not compressed.
    """

    table: str
    start: datetime
    end: datetime
    compressed: bool
    bytes: int
    bytes_before: int | None


@dataclass(frozen=True, slots=True)
class Optimization:
    """Result of ``optimize``. ``done``: one line for each change. ``engine``: name and licence of the engine."""

    done: tuple[str, ...]
    engine: str


class StoreTuning(Protocol):
    """Maintenance settings of a store. Stores without maintenance raise ``Unavailable``, which names what is missing."""

    async def optimize(self) -> Optimization:
        """Convert the store to its most efficient form; a second call changes nothing."""
        ...

    async def policies(self) -> Policies:
        """Return the policies in force. Like all methods, raises ``Forbidden`` where the licence permits no policies."""
        ...

    async def set_policies(
        self,
        *,
        compress_after: timedelta | None = None,
        refresh_window: timedelta | None = None,
        retention: Mapping[DataClass, timedelta | None] | None = None,
    ) -> Policies:
        """Change the policies whose parameter is not None, all or none; return the policies then in force.

        ``retention``: by class, None to retain for ever. Raises ``RetentionTooShort``.
        """
        ...

    async def chunks(self) -> list[Chunk]:
        """Return all chunks, ascending by table and time."""
        ...

    async def intervals(self) -> tuple[timedelta | None, timedelta]:
        """Return the length of new chunks (None: the tables have no chunks), and the length that fits the present rows."""
        ...

    async def set_interval(self, interval: timedelta) -> None:
        """Set the length of new chunks; existing chunks stay as they are."""
        ...

    async def compress(self, before: datetime) -> int:
        """Compress every chunk that ends at ``before`` or earlier, and return their number.

        Compressed chunks that were corrected since are compressed anew.
        """
        ...
