"""Files offered to the store: their records, and their contents in a form that is ready to be stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeAlias

from aurum.core.catalog.entries import FileEntry, KnownAtBasis, QuoteFlag, UnitJump
from aurum.core.catalog.validations import ValidationResult
from aurum.storage.ports.curves import CurveQuotes
from aurum.storage.ports.derived_curves import FinishedBuild
from aurum.storage.ports.observations import SeriesRows

if TYPE_CHECKING:
    import polars as pl

    from aurum.storage.ports.access import Actor

Part: TypeAlias = SeriesRows | CurveQuotes
"""A part of a file: observations of series, or quotes of products. Each kind has a writer in ``ports.transaction``."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """The identity of a file and its known time.

    ``digest``: SHA-256 of the content, hexadecimal. ``known_at``: of the whole file, UTC; None when it differs by row or is
    the moment of loading. ``rows_read``: data rows, including those in quarantine. ``is_published_again``: known from now on,
    even if the content was loaded before. All others: as in ``FileEntry``; the loader sets ``sent_by``.
    """

    name: str
    digest: str
    size: int
    source: str
    dataset: str
    known_at: datetime | None = None
    known_at_basis: KnownAtBasis = KnownAtBasis.INGESTED
    rows_read: int = 0
    suspect_series: int = 0
    unit_jumps: tuple[UnitJump, ...] = ()
    flagged_curves: int = 0
    quote_flags: tuple[QuoteFlag, ...] = ()
    is_published_again: bool = False
    format: str = ""
    parser_version: str = ""
    release: str = ""
    archive: str = ""
    sent_by: str = ""


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """Who asked for a load. The audit log has an entry of it with this ``action`` and ``target`` when values changed."""

    by: Actor
    action: str
    target: str


@dataclass(frozen=True, slots=True)
class FileLoad:
    """The contents of one file, ready to be stored.

    ``quarantine``: schema ``core.frames.REFUSED``. ``validations``: results of the checks of each dataset in the file.
    ``request``: None for files of publishers, whose record says enough. ``build``: of a derived curve; storing these quotes
    ends it. ``read_with``: versions of products without quotes, by key, with whose terms the file was read.
    """

    record: FileRecord
    parts: Sequence[Part]
    quarantine: pl.DataFrame
    validations: tuple[ValidationResult, ...] = ()
    request: LoadRequest | None = None
    build: FinishedBuild | None = None
    read_with: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """Result of a load: numbers of new points, of revised points, and of publications that changed nothing.

    ``already_loaded``: the same content was applied before, so nothing was stored.
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
    """Every field that is not None must match; ``since``: recorded at that instant or later."""

    status: str | None = None
    source: str | None = None
    dataset: str | None = None
    since: datetime | None = None


class BasesReader(Protocol):
    """Reads of the bases of known times."""

    async def bases(self, series_ids: Sequence[int], *, first: datetime, last: datetime) -> pl.DataFrame:
        """Return the known times, ``first`` to ``last``, that files give their rows of some series, schema ``BASES``.

        Of several files the strongest basis counts: published, stated, ingested. Times from publication rules are not named.
        """
        ...


class FileLog(BasesReader, Protocol):
    """Reads of the records of files. All methods raise ``Unavailable`` when the store does not answer."""

    async def files_page(self, criteria: FileFilter, *, before: int | None, limit: int) -> Sequence[FileEntry]:
        """Return matching records, the newest first; ``before`` is the last id already seen."""
        ...

    async def files_of(self, digest: str) -> Sequence[FileEntry]:
        """Return every record of a content, the oldest first."""
        ...

    async def applied(self, digest: str) -> Sequence[FileEntry]:
        """Return the records with status applied of a content, the oldest first, by one look-up in an index."""
        ...


class FileWriter(Protocol):
    """Writes of file records within a transaction."""

    async def lock(self, digest: str) -> None:
        """Wait until no other transaction loads the same content; the lock ends with the transaction."""
        ...

    async def applied(self, digest: str) -> Sequence[FileEntry]:
        """Return the records with status applied of a content, the oldest first, as this transaction sees them."""
        ...

    async def known_now(self) -> datetime:
        """Return the known time (UTC) of rows that become known with this load.

        Reads as of that instant or later wait until this transaction has ended.
        """
        ...

    async def record_applied(self, file: FileRecord, counts: LoadOutcome, *, known_at: datetime | None, seconds: float) -> int:
        """Record a load and return the id of the record; the id in ``counts`` is ignored."""
        ...

    async def record_refused(self, file: FileRecord, reason: str) -> int:
        """Record that the whole file was refused and why; return the id of the record."""
        ...


class Loader(Protocol):
    """Stores files, each whole or not at all. ``storage.loader`` implements it."""

    async def load(self, file: FileLoad, *, force: bool = False) -> LoadOutcome: ...

    async def already_loaded(
        self, digest: str, *, basis: KnownAtBasis | None = None, known_at: datetime | None = None, again: bool = False
    ) -> LoadOutcome | None: ...

    async def refuse(self, file: FileRecord, *, reason: str, validations: Sequence[ValidationResult] = ()) -> int: ...
