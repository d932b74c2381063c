"""Closed months, apart from the hot store: where their rows are, and how they are read and written.

A *part* is one series in one month (UTC, by ``ts``), with all its versions. The archive log of the hot store says which parts
are archived, and under which ``archive_id`` their rows stand; a row in history that the log does not name does not exist.
So writing to history needs no transaction with the hot store: what a crash leaves behind is never read, and is discarded later.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

import polars as pl

from aurum.common.resilience import Guards
from aurum.core.asof import Span
from aurum.storage.ports.capabilities import Capability


@dataclass(frozen=True, slots=True)
class ArchivedPart:
    """One series in one month. ``month``: its first day. ``rows``, ``checksum``: of all its versions, see ``core.history``."""

    series_id: int
    month: date
    archive_id: int
    source: str
    rows: int
    checksum: int


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What looking after history did. ``files_*``: data files before and after; ``expired``: snapshots or files dropped."""

    files_before: int
    files_after: int
    expired: int


class HistoryStore(Protocol):
    """Archived months. All methods raise ``Unavailable`` when the store does not answer, by the deadline of the task if any.

    The columns are those of ``core.frames.HISTORY`` after ``source``, ``month`` and ``archive_id``; partitioned by source and
    month, sorted by series and time, the same in every adapter.
    """

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    @property
    def guards(self) -> Guards:
        """What protects from the server behind it, if there is one."""
        ...

    async def look(self) -> None:
        """Return when the store answers a question that costs nothing."""
        ...

    async def write(self, rows: pl.DataFrame, *, source: str, month: date, archive_id: int) -> None:
        """Keep rows, schema ``HISTORY`` and in its order, all of one source and month; they are durable on return.

        Written twice with the same source, month and ``archive_id``, the second stands in the place of the first.
        """
        ...

    async def rows(self, parts: Sequence[ArchivedPart], *, span: Span | None = None) -> pl.DataFrame:
        """All versions in those parts whose ``ts`` lies in the span, schema ``HISTORY``, in its order."""
        ...

    async def many(self, parts: Sequence[ArchivedPart], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        """What stood as of then (None: what stands now), schema ``MANY_OBSERVATIONS``, ascending by (``series_id``, ``ts``)."""
        ...

    def stream(
        self, parts: Sequence[ArchivedPart], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        """The answer of ``many`` in batches of bounded size, with back-pressure."""
        ...

    async def discard(self, archive_ids: Collection[int]) -> None:
        """Drop all rows under those ids; ids nobody wrote are no error."""
        ...

    async def archive_ids(self) -> frozenset[int]:
        """The ids under which there are rows."""
        ...

    async def upkeep(self) -> Upkeep:
        """Compact what is in many pieces and drop what is no longer reachable. Raises ``Unsupported``."""
        ...

    async def close(self) -> None:
        """Let go of connections and files."""
        ...
