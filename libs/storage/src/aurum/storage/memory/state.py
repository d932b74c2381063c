"""What a store in memory holds: everything that was said, and the records of what was loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeAlias

from aurum.core.catalog.entries import Completeness, DatasetEntry, FileEntry, QuarantinedRow, SourceEntry
from aurum.core.catalog.validations import Validation
from aurum.core.series import Publication, Series

Points: TypeAlias = dict[datetime, set[Publication]]
"""The publications of one series by ``ts``. A set, since answers depend on nothing more."""


@dataclass(slots=True)
class MemoryState:
    """Tables of one store. No method of an adapter waits between its first read and its last write of them."""

    series: dict[str, Series] = field(default_factory=dict[str, Series])
    points: dict[int, Points] = field(default_factory=dict[int, Points])
    completeness: dict[tuple[str, date], Completeness] = field(default_factory=dict[tuple[str, date], Completeness])
    files: list[FileEntry] = field(default_factory=list[FileEntry])
    """Ascending by id, which is the place in the list, counted from 1."""
    held: list[QuarantinedRow] = field(default_factory=list[QuarantinedRow])
    """Ascending by id, likewise."""
    sources: dict[str, SourceEntry] = field(default_factory=dict[str, SourceEntry])
    datasets: dict[tuple[str, str], DatasetEntry] = field(default_factory=dict[tuple[str, str], DatasetEntry])
    blocks: dict[tuple[str, str], Mapping[str, object]] = field(default_factory=dict[tuple[str, str], Mapping[str, object]])
    changed_blocks: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Blocks that a user changed: declarations leave them alone."""
    validations: list[Validation] = field(default_factory=list[Validation])
    """Ascending by id; those that are forgotten leave gaps."""
    last_validation_id: int = 0
