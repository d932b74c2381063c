"""State of a store in memory: all publications, and the records of loads and changes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from itertools import groupby
from typing import TypeAlias

import polars as pl

from aurum.core.access import RatePlan
from aurum.core.alerts.alert import Alert
from aurum.core.catalog.entries import Completeness, DatasetEntry, FileEntry, QuarantinedRow, SourceEntry
from aurum.core.catalog.validations import Validation
from aurum.core.curves.marks import Override
from aurum.core.series.model import Series
from aurum.core.series.revise import Publication
from aurum.storage.ports.access import ApiKey, AuditEntry, Tenant
from aurum.storage.ports.curve_sets import CurveSet
from aurum.storage.ports.curves import ReferenceDocument, ReferenceKind, StoredProduct
from aurum.storage.ports.derived_curves import DerivedCurve
from aurum.storage.ports.fetch import FetchState
from aurum.storage.ports.flags import StoredFlag
from aurum.storage.ports.jobs import Job, Notice, WorkerEntry
from aurum.storage.ports.links import Link
from aurum.storage.ports.mappings import StoredMapping
from aurum.storage.ports.recordings import DatasetChange, NewIssue, RecordingAction
from aurum.storage.ports.schedule import StoredSchedule
from aurum.storage.ports.watermarks import FetchedDay, Watermark
from aurum.storage.ports.webhooks import Delivery, DeliveryAttempt, Webhook


@dataclass(frozen=True, slots=True)
class QuotePublication:
    """A publication of a quote. ``content``: its fields in the order of ``core.curves.quotes.FIELDS``; None: missing."""

    known_at: datetime
    content: tuple[float | None, ...]

    @property
    def rank(self) -> tuple[tuple[bool, float], ...]:
        """The content as the tie rule orders it: field by field, missing ones lowest."""
        return tuple((value is not None, value or 0.0) for value in self.content)

    @property
    def row(self) -> tuple[float | datetime | None, ...]:
        """The content and the known time, as in a frame of quotes."""
        return *self.content, self.known_at


Quotes: TypeAlias = dict[tuple[date, date, date], Mapping[QuotePublication, int]]
"""Publications of one product by (delivery start, delivery end, trade date), each with the recording that brought it."""

Points: TypeAlias = dict[datetime, frozenset[Publication]]
"""The publications of one series by ``ts``. A set, because answers depend neither on order nor on repetition."""

PLANS = (
    RatePlan("basic", 300, 5_000, 50_000, 1.5, 10),
    RatePlan("enterprise", 5_000, 100_000, 1_000_000, 3.0, 50),
    RatePlan("free", 60, 1_000, 10_000, 1.0, 5),
    RatePlan("premium", 1_000, 20_000, 200_000, 2.0, 20),
)
"""The plans of every new store."""


@dataclass(frozen=True, slots=True)
class BlockChange:
    """The last change of a block by an administrator."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class StoredRecording:
    """A transaction that added or restated observations."""

    recording_id: int
    recorded_at: datetime
    action: RecordingAction
    file_id: int | None


@dataclass(frozen=True, slots=True)
class StoredChange:
    """The effect of a recording on one dataset, at its position in the feed of changes."""

    position: int
    recording: StoredRecording
    change: DatasetChange


@dataclass(frozen=True, slots=True)
class StoredUndone:
    """Publications of one series that a recording added or took away, schema ``core.as_loaded.UNDONE``."""

    series_id: int
    recording_id: int
    publications: pl.DataFrame


@dataclass(frozen=True, slots=True)
class StoredIssue:
    """An issue of a forecast in a file."""

    file_id: int
    issue: NewIssue


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job with what only the log itself reads. ``attempt``: the number of the last attempt, which is never set back."""

    job: Job
    attempt: int = 0
    is_alone: bool = False
    announced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredWebhook:
    """A webhook and its secrets, the present one first."""

    webhook: Webhook
    secrets: tuple[str, ...]


@dataclass(slots=True)
class MemoryState:
    """Tables of one store.

    Entries of a table are replaced and never changed in place, so a copy of the tables is a snapshot. Writers hold ``lock``.
    """

    series: dict[str, Series] = field(default_factory=dict[str, Series])
    last_series_id: int = 0
    """Not the number of series: the id of a removed series is never used again."""
    points: dict[int, Points] = field(default_factory=dict[int, Points])
    products: dict[tuple[str | None, str], StoredProduct] = field(default_factory=dict[tuple[str | None, str], StoredProduct])
    """Products of all by key, and those of tenants by tenant and key."""
    last_curve_id: int = 0
    quotes: dict[int, Quotes] = field(default_factory=dict[int, Quotes])
    curve_references: dict[tuple[str | None, ReferenceKind, str], ReferenceDocument] = field(
        default_factory=dict[tuple[str | None, ReferenceKind, str], ReferenceDocument]
    )
    file_curves: dict[tuple[str | None, int], pl.DataFrame] = field(default_factory=dict[tuple[str | None, int], pl.DataFrame])
    """By tenant and file id, schema ``TOUCHED_CURVES``."""
    derived_curves: dict[str, DerivedCurve] = field(default_factory=dict[str, DerivedCurve])
    builds: dict[int, frozenset[int]] = field(default_factory=dict[int, frozenset[int]])
    """Ids of the recordings by which builds of a derived curve stored its quotes, by curve id."""
    last_derived_change: int = 0
    curve_sets: dict[str, CurveSet] = field(default_factory=dict[str, CurveSet])
    curve_set_overrides: dict[tuple[str, str], Mapping[tuple[str, date, date], Override]] = field(
        default_factory=dict[tuple[str, str], Mapping[tuple[str, date, date], Override]]
    )
    """By tenant and set, then by curve and delivery."""
    curve_set_marks: dict[tuple[str, str, int], pl.DataFrame] = field(default_factory=dict[tuple[str, str, int], pl.DataFrame])
    """By tenant, set and pin, schema ``NAMED_MARKS``."""
    completeness: dict[tuple[str, date], Completeness] = field(default_factory=dict[tuple[str, date], Completeness])
    files: list[FileEntry] = field(default_factory=list[FileEntry])
    """Ascending by id, which is the position in the list, counted from 1."""
    file_series: dict[int, pl.DataFrame] = field(default_factory=dict[int, pl.DataFrame])
    """By file id, schema ``FILE_SERIES``."""
    quarantine: list[QuarantinedRow] = field(default_factory=list[QuarantinedRow])
    """Ascending by id, which is the position in the list, counted from 1."""
    sources: dict[str, SourceEntry] = field(default_factory=dict[str, SourceEntry])
    datasets: dict[tuple[str, str], DatasetEntry] = field(default_factory=dict[tuple[str, str], DatasetEntry])
    blocks: dict[tuple[str, str], Mapping[str, object]] = field(default_factory=dict[tuple[str, str], Mapping[str, object]])
    changed_blocks: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Blocks that a user changed: declarations do not replace them."""
    block_versions: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """Versions of blocks that changed; those of others are 1."""
    block_changes: dict[tuple[str, str], BlockChange] = field(default_factory=dict[tuple[str, str], BlockChange])
    mappings: dict[int, StoredMapping] = field(default_factory=dict[int, StoredMapping])
    last_mapping_id: int = 0
    validations: list[Validation] = field(default_factory=list[Validation])
    """Ascending by id; deleted validations leave gaps."""
    last_validation_id: int = 0
    plans: dict[str, RatePlan] = field(default_factory=lambda: {plan.name: plan for plan in PLANS})
    tenants: dict[str, Tenant] = field(default_factory=dict[str, Tenant])
    keys: dict[str, tuple[ApiKey, bytes]] = field(default_factory=dict[str, tuple[ApiKey, bytes]])
    """Keys by id, each with the digest of its secret."""
    links: dict[str, Link] = field(default_factory=dict[str, Link])
    secrets: dict[str, bytes] = field(default_factory=dict[str, bytes])
    alerts: dict[str, Alert] = field(default_factory=dict[str, Alert])
    webhooks: dict[str, StoredWebhook] = field(default_factory=dict[str, StoredWebhook])
    deliveries: dict[str, Delivery] = field(default_factory=dict[str, Delivery])
    delivery_attempts: dict[str, tuple[DeliveryAttempt, ...]] = field(default_factory=dict[str, tuple[DeliveryAttempt, ...]])
    audit: list[AuditEntry] = field(default_factory=list[AuditEntry])
    fetches: dict[tuple[str, str], FetchState] = field(default_factory=dict[tuple[str, str], FetchState])
    flags: dict[str, StoredFlag] = field(default_factory=dict[str, StoredFlag])
    flag_use: Counter[tuple[str, str, date]] = field(default_factory=Counter[tuple[str, str, date]])
    last_recording_id: int = 0
    recordings: list[StoredRecording] = field(default_factory=list[StoredRecording])
    """Ascending by ``recorded_at``."""
    changes: list[StoredChange] = field(default_factory=list[StoredChange])
    """Ascending by position, which is the position in the list, counted from 1."""
    issues: list[StoredIssue] = field(default_factory=list[StoredIssue])
    undone: list[StoredUndone] = field(default_factory=list[StoredUndone])
    schedules: dict[str, StoredSchedule] = field(default_factory=dict[str, StoredSchedule])
    watermarks: dict[tuple[str, str], Watermark] = field(default_factory=dict[tuple[str, str], Watermark])
    fetched_days: dict[tuple[str, str, date], FetchedDay] = field(default_factory=dict[tuple[str, str, date], FetchedDay])
    has_scheduler: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the scheduler that leads."""
    jobs: dict[str, StoredJob] = field(default_factory=dict[str, StoredJob])
    last_job_number: int = 0
    job_keys: dict[tuple[str | None, str], str] = field(default_factory=dict[tuple[str | None, str], str])
    """Ids of jobs by tenant and key."""
    job_notices: list[Notice] = field(default_factory=list[Notice])
    """Notices of the transaction that runs, which are sent when it has committed."""
    job_workers: dict[str, WorkerEntry] = field(default_factory=dict[str, WorkerEntry])
    job_listeners: list[Callable[[Notice], None]] = field(default_factory=list[Callable[[Notice], None]])
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def snapshot(self) -> MemoryState:
        """Return a copy of the tables; later changes of one are not visible in the other."""
        tables = {name: getattr(self, name) for name in _TABLES}
        return replace(self, **{name: table.copy() if hasattr(table, "copy") else table for name, table in tables.items()})

    def adopt(self, other: MemoryState) -> None:
        """Replace all tables by those of another state."""
        for name in _TABLES:
            setattr(self, name, getattr(other, name))


_TABLES = tuple(table.name for table in fields(MemoryState) if table.name not in ("lock", "has_scheduler", "job_listeners"))


def versions(publications: Iterable[QuotePublication]) -> list[QuotePublication]:
    """Return the versions that publications of one quote make, the oldest first: the law of ``core.asof`` in plain Python."""
    ordered = sorted(publications, key=lambda one: (one.known_at, one.rank))
    decided = [list(tied)[-1] for _, tied in groupby(ordered, key=lambda one: one.known_at)]
    return [next(run) for _, run in groupby(decided, key=lambda one: one.content)]
