"""Entries of the catalog: sources, datasets, locations and files, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """A publisher of data."""

    name: str
    title: str
    homepage: str
    terms: str = ""


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """A dataset of a source.

    ``freshness_hours``: age of the newest observation above which the dataset counts as stale. ``is_forecast``: its files are
    issues, each one publication over many intervals. ``details``: measures that detail another one, such as the components of a
    price. ``order``: 0 for a main dataset of its source, higher for other exports and copies of the same numbers.
    """

    source: str
    name: str
    title: str
    zone: str
    frequency: str
    measures: tuple[Mapping[str, str], ...]
    """Each with ``name``, ``unit`` and ``title``."""
    market: str | None = None
    reference: str = ""
    schedule: str = ""
    """The usual publication times in words; ``publication`` has each rule with its source."""
    freshness_hours: float | None = None
    publication: tuple[Mapping[str, object], ...] = ()
    is_forecast: bool = False
    details: tuple[str, ...] = ()
    order: int = 0
    fetch: Mapping[str, object] | None = None
    """How its public files are fetched: ``granularity``, ``needs`` and ``manual``; None for a dataset without public files."""
    fetched_at: datetime | None = None
    """The last fetch from its publisher that was loaded, UTC; None if there was none. Not declared: the store adds it."""


@dataclass(frozen=True, slots=True)
class DatasetExtent:
    """The number of series of a dataset, and the first and last interval start of any of them, UTC; None without any."""

    series: int
    first_ts: datetime | None
    last_ts: datetime | None


@dataclass(frozen=True, slots=True)
class LocationEntry:
    """A node, hub, zone or region as its source names it, with the number of its series."""

    source: str
    location: str
    name: str
    kind: str
    market: str | None
    zone: str
    series: int


@dataclass(frozen=True, slots=True)
class PlaceName:
    """The name and the type of a place whose files print only its id. ``kind``: the type; empty for none."""

    source: str
    location: str
    name: str
    kind: str


class FileStatus(StrEnum):
    """The outcome of loading a file."""

    APPLIED = "applied"
    REFUSED = "refused"


class KnownAtBasis(StrEnum):
    """The origin of a known time."""

    PUBLISHED = "published"
    """The file said when it was published, or its server did (HTTP ``Last-Modified``)."""
    STATED = "stated"
    """An operator said so."""
    SCHEDULED = "scheduled"
    """The usual publication time, by the rule of the dataset."""
    INGESTED = "ingested"
    """The moment at which the file was taken in."""


@dataclass(frozen=True, slots=True)
class IssueEntry:
    """An issue of a forecast: one publication over many intervals, by one file.

    ``first_ts``, ``last_ts``: its first and last interval start. ``series``: number of series that it has values of.
    """

    known_at: datetime
    basis: KnownAtBasis
    file_id: int
    file_name: str
    first_ts: datetime
    last_ts: datetime
    series: int


@dataclass(frozen=True, slots=True)
class SeriesIssue:
    """The publications of all files about one series at one known time. ``file_ids``: ascending."""

    known_at: datetime
    file_ids: tuple[int, ...]
    first_ts: datetime
    last_ts: datetime


@dataclass(frozen=True, slots=True)
class UnitJump:
    """A series whose values in a file are about ``factor`` times those stored beside it, as after a change of its unit.

    ``factor``: 10, 100, 1000, 0.1, 0.01 or 0.001. ``median``: of the values in the file; ``stored``: of the stored points.
    """

    key: str
    factor: float
    median: float
    stored: float


@dataclass(frozen=True, slots=True)
class QuoteFlag:
    """A finding about the quotes of a curve in a file, beside the session before: see ``core.curves.mark_checks``.

    ``check``: ``unit_jump`` or ``stale``. ``trade_date``: the newest one that the file has of the curve. ``delivery_start``,
    ``delivery_end``: of the quote; None: the curve as a whole, which has no ``price`` and no price ``before``. ``ratio``: of
    the prices, of a curve the median. ``sessions``: number of sessions without a move.
    """

    curve: str
    check: str
    trade_date: date
    delivery_start: date | None = None
    delivery_end: date | None = None
    price: float | None = None
    before: float | None = None
    ratio: float | None = None
    sessions: int | None = None


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file that was loaded or refused.

    ``new``, ``revised`` and ``unchanged`` count observations, ``rows_read`` data rows, ``quarantined`` rows or cells.
    ``suspect_series``: number of series that were loaded as suspect because of a unit jump; ``unit_jumps``: the first of them.
    ``flagged_curves``: number of curves in whose quotes a check found something; ``quote_flags``: the first findings.
    ``format``: name of the file format that read it; ``parser_version``: of the format; ``release``: the one of Aurum.
    ``archive``: name of the archive it was a member of. ``sent_by``: the subject of the request that sent or computed it. Of
    these, what was not recorded is empty.
    """

    file_id: int
    digest: str
    name: str
    source: str
    dataset: str
    status: FileStatus
    reason: str
    known_at: datetime | None
    known_at_basis: KnownAtBasis
    rows_read: int
    new: int
    revised: int
    unchanged: int
    quarantined: int
    seconds: float
    loaded_at: datetime
    suspect_series: int = 0
    unit_jumps: tuple[UnitJump, ...] = ()
    flagged_curves: int = 0
    quote_flags: tuple[QuoteFlag, ...] = ()
    size: int = 0
    format: str = ""
    parser_version: str = ""
    release: str = ""
    archive: str = ""
    sent_by: str = ""


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A row of a file, or a cell of it, in quarantine. ``replayed_at``: time at which a later load accepted the file."""

    row_id: int
    file_id: int
    file_name: str
    digest: str
    source: str
    dataset: str
    line: int
    column: str
    raw: str
    reason: str
    detail: str
    created_at: datetime
    replayed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Completeness:
    """The numbers of expected and present intervals of a series on a published local day."""

    key: str
    day: date
    expected: int
    present: int

    @property
    def missing(self) -> int:
        return max(self.expected - self.present, 0)


@dataclass(frozen=True, slots=True)
class DatasetQuality:
    """The state of a dataset. ``age_hours``: age of the newest observation at the time of the request."""

    source: str
    dataset: str
    series: int
    newest_ts: datetime | None
    last_loaded_at: datetime | None
    age_hours: float | None
    stale: bool | None
    incomplete_days: int
    missing_intervals: int
    quarantined: int
    refused_files: int
    reasons: Mapping[str, int] = field(default_factory=dict[str, int])
