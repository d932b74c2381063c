"""Removal of series, and what points to a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredSeries:
    """A series by the texts it is stored under. An older release may have stored a key that is invalid today."""

    series_id: int
    key: str
    source: str
    currency: str | None


@dataclass(frozen=True, slots=True)
class InvalidSeries:
    """A stored series that lists leave out, because it breaks a rule of this release. ``why``: the rule."""

    series_id: int
    key: str
    why: str


@dataclass(frozen=True, slots=True)
class Referrer:
    """Objects of one kind that need a series. ``count``: how many; ``names``: the first few of them."""

    kind: str
    count: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemovedRows:
    """The numbers of rows that a removal deleted.

    ``points``, ``versions``: current and superseded values outside history. ``days``: records of completeness. ``files``:
    files that named the series, which stay on record. ``parts``, ``archived_rows``: archived months, and their rows, all
    versions counted; the rows leave history with a later archive run.
    """

    points: int = 0
    versions: int = 0
    days: int = 0
    files: int = 0
    parts: int = 0
    archived_rows: int = 0


class SeriesRemover(Protocol):
    """Removals of series within a transaction."""

    async def lock(self, key: str) -> StoredSeries | None:
        """Find the series stored under a text and lock it until the transaction ends; None if there is none.

        Loads of its rows wait until then.
        """
        ...

    async def referrers(self, series: StoredSeries) -> Sequence[Referrer]:
        """Return what would no longer work without the series, by kind; empty when nothing needs it.

        A feature whose rows name series adds them here, in every adapter.
        """
        ...

    async def remove(self, series: StoredSeries) -> RemovedRows:
        """Delete a locked series: its points in every tier, its archived months and its entry in the catalog.

        Rows in history are no longer named by the archive log, so no read returns them; ``ArchiveLog.removed_series`` lists the
        series until their rows are erased there. Files whose rows became points of the series stay on record.
        """
        ...
