"""Files that were offered to the store: their records, and what a file holds when it is ready to be stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeAlias

from aurum.core.catalog.entries import FileEntry, KnownAtBasis
from aurum.core.catalog.validations import ValidationResult
from aurum.storage.ports.observations import SeriesRows

if TYPE_CHECKING:
    import polars as pl

Part: TypeAlias = SeriesRows
"""What a file may hold; each kind of part has a writer in ``ports.transaction``."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What identifies a file and when it became known.

    ``digest``: SHA-256 of the content, hexadecimal. ``known_at``: of the whole file, UTC; None when it differs by row or is
    the moment of loading. ``rows_read``: data rows, those held back included.
    """

    name: str
    digest: str
    size: int
    source: str
    dataset: str
    known_at: datetime | None = None
    known_at_basis: KnownAtBasis = KnownAtBasis.INGESTION
    rows_read: int = 0


@dataclass(frozen=True, slots=True)
class FileLoad:
    """All that one file says, ready to be stored.

    ``quarantine``: schema ``core.frames.REFUSED``. ``validations``: what the checks of each dataset in the file found.
    """

    record: FileRecord
    parts: Sequence[Part]
    quarantine: pl.DataFrame
    validations: tuple[ValidationResult, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """What a load did: points that are new, points it revised, and publications that changed nothing.

    ``already_loaded``: the same content was applied before and nothing was done.
    """

    file_id: int
    new: int
    revised: int
    unchanged: int
    quarantined: int
    already_loaded: bool = False
    changed_series: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class FileFilter:
    """Every field that is not None must match; ``since``: recorded then or later."""

    status: str | None = None
    source: str | None = None
    dataset: str | None = None
    since: datetime | None = None


class FileLog(Protocol):
    """Reads of the records of files. All methods raise ``Unavailable`` when the store does not answer."""

    async def files_page(self, criteria: FileFilter, *, before: int | None, limit: int) -> Sequence[FileEntry]:
        """Files, the newest record first; ``before`` is the last id already seen."""
        ...

    async def files_of(self, digest: str) -> Sequence[FileEntry]:
        """Every record of a content, oldest first."""
        ...

    async def applied(self, digest: str) -> Sequence[FileEntry]:
        """The records of a content that was applied, oldest first: one look-up in an index."""
        ...


class FileWriter(Protocol):
    """Records files within a transaction."""

    async def lock(self, digest: str) -> None:
        """Wait until no other transaction loads the same content; the lock ends with the transaction."""
        ...

    async def applied(self, digest: str) -> Sequence[FileEntry]:
        """The records of a content that was applied, oldest first, as this transaction sees them."""
        ...

    async def known_now(self) -> datetime:
        """The known time of rows that are known from now on, UTC.

        No read as of that instant or later gives an answer before this transaction has ended.
        """
        ...

    async def record_applied(self, file: FileRecord, counts: LoadOutcome, *, known_at: datetime | None, seconds: float) -> int:
        """Record a load and give the id of the record; that in ``counts`` means nothing."""
        ...

    async def record_refused(self, file: FileRecord, reason: str) -> int:
        """Record that a file was refused whole and why; gives the id of the record."""
        ...


class Loader(Protocol):
    """Stores files, each whole or not at all; ``storage.loader`` is the one that does."""

    async def load(self, file: FileLoad, *, force: bool = False) -> LoadOutcome: ...

    async def already_loaded(
        self, digest: str, *, basis: KnownAtBasis | None = None, known_at: datetime | None = None
    ) -> LoadOutcome | None: ...

    async def refuse(self, file: FileRecord, *, reason: str, validations: Sequence[ValidationResult] = ()) -> int: ...
