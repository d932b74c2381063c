"""State of a store in memory: all publications, and the records of loads and changes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import TypeAlias

import polars as pl

from aurum.core.access import RatePlan
from aurum.core.catalog.entries import Completeness, DatasetEntry, FileEntry, QuarantinedRow, SourceEntry
from aurum.core.catalog.validations import Validation
from aurum.core.series.model import Series
from aurum.core.series.revise import Publication
from aurum.storage.ports.access import ApiKey, AuditEntry, Tenant
from aurum.storage.ports.flags import StoredFlag

Points: TypeAlias = dict[datetime, frozenset[Publication]]
"""The publications of one series by ``ts``. A set, because answers depend neither on order nor on repetition."""

PLANS = (
    RatePlan("basic", 300, 5_000, 50_000, 1.5, 10),
    RatePlan("enterprise", 5_000, 100_000, 1_000_000, 3.0, 50),
    RatePlan("free", 60, 1_000, 10_000, 1.0, 5),
    RatePlan("premium", 1_000, 20_000, 200_000, 2.0, 20),
)
"""The plans of every new store."""


@dataclass(slots=True)
class MemoryState:
    """Tables of one store.

    Entries of a table are replaced and never changed in place, so a copy of the tables is a snapshot. Writers hold ``lock``.
    """

    series: dict[str, Series] = field(default_factory=dict[str, Series])
    last_series_id: int = 0
    """Not the number of series: the id of a removed series is never used again."""
    points: dict[int, Points] = field(default_factory=dict[int, Points])
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
    validations: list[Validation] = field(default_factory=list[Validation])
    """Ascending by id; deleted validations leave gaps."""
    last_validation_id: int = 0
    plans: dict[str, RatePlan] = field(default_factory=lambda: {plan.name: plan for plan in PLANS})
    tenants: dict[str, Tenant] = field(default_factory=dict[str, Tenant])
    keys: dict[str, tuple[ApiKey, bytes]] = field(default_factory=dict[str, tuple[ApiKey, bytes]])
    """Keys by id, each with the digest of its secret."""
    audit: list[AuditEntry] = field(default_factory=list[AuditEntry])
    flags: dict[str, StoredFlag] = field(default_factory=dict[str, StoredFlag])
    flag_use: Counter[tuple[str, str, date]] = field(default_factory=Counter[tuple[str, str, date]])
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def snapshot(self) -> MemoryState:
        """Return a copy of the tables; later changes of one are not visible in the other."""
        tables = {name: getattr(self, name) for name in _TABLES}
        return replace(self, **{name: table.copy() if hasattr(table, "copy") else table for name, table in tables.items()})

    def adopt(self, other: MemoryState) -> None:
        """Replace all tables by those of another state."""
        for name in _TABLES:
            setattr(self, name, getattr(other, name))


_TABLES = tuple(table.name for table in fields(MemoryState) if table.name != "lock")
