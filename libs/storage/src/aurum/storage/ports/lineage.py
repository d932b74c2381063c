"""Reads of where a number came from: the files and recordings that may have brought a publication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from aurum.core.catalog.entries import FileEntry
from aurum.storage.ports.recordings import RecordingAction


@dataclass(frozen=True, slots=True)
class FileMention:
    """A file that says something of a series around a point, or of a product on a trade date.

    ``recorded_at``: instant of its recording, UTC; None for a file that was loaded before recordings. ``known_at``: latest
    known time of its rows of the series or product. ``is_scheduled``: known times are from the publication rule, row by row.
    ``is_new``: the series had no point there before. ``is_sole``: all publications of the series known at ``known_at`` are
    the file's.
    """

    file: FileEntry
    recorded_at: datetime | None
    known_at: datetime
    is_scheduled: bool
    is_new: bool = False
    is_sole: bool = False


@dataclass(frozen=True, slots=True)
class Touch:
    """A publication of a point that a recording added (``is_added``), or took away or replaced: then with its old value."""

    recording_id: int
    recorded_at: datetime
    action: RecordingAction
    file_id: int | None
    is_added: bool
    known_at: datetime
    value: float | None


@dataclass(frozen=True, slots=True)
class RecordedQuote:
    """A publication of a quote with the recording that brought it.

    ``content``: its fields in the order of ``core.curves.quotes.FIELDS``. ``file``: None for a recording without a file.
    """

    known_at: datetime
    content: tuple[float | None, ...]
    recorded_at: datetime
    file: FileEntry | None


@dataclass(frozen=True, slots=True)
class QuoteRecords:
    """The records of a quote: its publications, in the order of recordings, and the files that may hold it.

    ``mentions``: of files with quotes of the product around the trade date, known then or later; the nearest in known time are
    first.
    """

    publications: Sequence[RecordedQuote]
    mentions: Sequence[FileMention]


class LineageReader(Protocol):
    """Reads of the records of shared rows, or of those of one tenant. All methods raise ``Unavailable``.

    ``as_loaded``: only recordings up to an instant; None: all.
    """

    async def mentions(
        self, series_id: int, ts: datetime, *, known_at: datetime, as_loaded: datetime | None = None, limit: int
    ) -> Sequence[FileMention]:
        """Return files with rows of a series from before ``ts`` to after it, or at it, known at ``known_at`` or later.

        Of more than ``limit``, those that the series had no point before, then those nearest in known time.
        """
        ...

    async def touches(self, series_id: int, ts: datetime, *, as_loaded: datetime | None = None) -> Sequence[Touch]:
        """Return what recordings list of the publications of a point, in the order of recordings."""
        ...

    async def quote_records(
        self,
        curve_id: int,
        trade_date: date,
        delivery: tuple[date, date],
        *,
        known_at: datetime,
        as_loaded: datetime | None = None,
        limit: int,
    ) -> QuoteRecords:
        """Return the records of a quote that became known at ``known_at``. ``delivery``: first day and end.

        ``limit``: of the mentions, as in ``mentions``. Archived publications are read where no other is known at that instant.
        Raises ``HistoryNotConfigured`` for them without history.
        """
        ...
