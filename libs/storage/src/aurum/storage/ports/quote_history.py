"""Closed months of quotes: the history store that holds their publications, and the log of the hot store that lists them.

A *part* is one shared product in one month of trade dates. Its rows in force stay in the hot store; all its other publications
are in history under the ``archive_id`` that the log names. What the log does not name is never read, as with observations.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

from aurum.core.errors import Unavailable

if TYPE_CHECKING:
    import polars as pl

SOURCE = "(quotes)"
"""Stands for a source in the journal of archive runs and in their reports; no source has such a name."""


@dataclass(frozen=True, slots=True)
class ArchivedQuotes:
    """The archived publications of one product in one month. ``month``: its first day."""

    curve_id: int
    month: date
    archive_id: int
    rows: int
    checksum: int


class QuoteHistory(Protocol):
    """Store of archived publications, schema ``core.curves.quote_archive.RECORDED_QUOTES``. Raises ``Unavailable``."""

    async def write(self, rows: pl.DataFrame, *, archive_id: int) -> None:
        """Store publications; they are durable on return. A second write under an id replaces the first."""
        ...

    async def publications(self, parts: Sequence[ArchivedQuotes]) -> pl.DataFrame:
        """Return the publications of some parts. Raises ``Unavailable`` for an id that has no file."""
        ...

    async def discard(self, archive_ids: Collection[int]) -> None:
        """Delete all publications under those ids; unknown ids are ignored."""
        ...

    async def archive_ids(self) -> frozenset[int]:
        """Return the ids that have publications."""
        ...


class QuoteArchiveLog(Protocol):
    """Log of archived publications: moves them out of the hot store and names their place. Raises ``Unavailable``."""

    async def sizes(self, before: date) -> pl.DataFrame:
        """Return the number of hot publications of each shared product in each month before ``before``.

        Columns ``series_id`` (of the product, Int32), ``month`` (Date), ``rows`` (Int64), by month and product. Rows in force
        do not count, because they stay.
        """
        ...

    async def snapshot(self, curve_ids: Sequence[int], month: date) -> pl.DataFrame:
        """Return the hot publications of some products in a month, schema ``RECORDED_QUOTES``, ordered as in files."""
        ...

    async def commit(self, archive_id: int, rows: pl.DataFrame) -> pl.DataFrame:
        """Name the parts of a snapshot and delete their hot publications, in one transaction; return them as ``QUOTE_TALLY``.

        It holds the lock that loads take. A part whose publications differ from the snapshot stays hot and is not named.
        """
        ...

    def parts(self) -> AsyncIterator[Sequence[ArchivedQuotes]]:
        """Yield every archived part, ascending by product and month, in groups of bounded size."""
        ...


class QuotesNotHeld(Unavailable):
    """The history store of this process does not hold quotes, and publications that are needed are archived."""


class QuoteHistoryDamaged(Unavailable):
    """History does not hold the publications that the archive log records. Facts: ``archive_ids``."""

    def __init__(self, archive_ids: Collection[int]) -> None:
        super().__init__(
            f"history does not hold quotes as the archive log records them (archive ids {sorted(archive_ids)}): "
            "run `aurum archive verify`",
            archive_ids=sorted(archive_ids),
        )
