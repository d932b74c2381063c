"""The lineage of a number, and the error for a number that is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from aurum.core.catalog.entries import FileEntry
from aurum.core.errors import NotFound
from aurum.core.lineage import Sought
from aurum.services.curves.periods import DeliveryPeriod
from aurum.services.lineage.origins import Origin, Restated

MOST_FILES = 20
"""Files that an answer names."""


class NoSuchNumber(NotFound):
    """The series or the curve has no such number.

    Facts: ``missing``, the parameter, ``nearest``, values it could have, and ``errors``, with the parameter and its value.
    """

    def __init__(self, missing: str, why: str, value: str, nearest: Sequence[str] = ()) -> None:
        message = f"{why}; nearest: {', '.join(nearest)}" if nearest else why
        wrong = {"field": missing, "message": message, "value": value}
        super().__init__(f"{missing}: {message}", missing=missing, nearest=list(nearest), errors=[wrong])


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a number. ``superseded_at``: when the next one became known; None: none was known at ``as_of``."""

    known_at: datetime
    value: float | None
    superseded_at: datetime | None


def shown_versions(versions: pl.DataFrame, field: str, as_of: datetime | None) -> tuple[Version, ...]:
    """Return the versions of a number as they were known at ``as_of``: what superseded the last one then was not known yet.

    ``versions``: ``known_at``, ``superseded_at`` and ``field``, null or NaN where it has no price, the oldest first.
    """
    rows = versions.select("known_at", pl.col(field).fill_nan(None), "superseded_at").rows()
    return tuple(
        Version(known_at, value, None if as_of is not None and end is not None and end > as_of else end)
        for known_at, value, end in rows
    )


@dataclass(frozen=True, slots=True)
class OfSeries:
    """The series and the interval of an observation. ``end``: None for a series without intervals."""

    key: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class OfCurve:
    """The curve, the trade date, the period and the field of a quote."""

    key: str
    trade_date: date
    period: DeliveryPeriod
    field: str


@dataclass(frozen=True, slots=True)
class ComputedBy:
    """The derived curve that computes a number. ``inputs``: keys of the curves that its expression reads."""

    derived_id: str
    expression: Mapping[str, object]
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a number came from.

    ``value``: as stored, in ``unit``; None: unpriced, or withdrawn. ``basis``: who vouches for ``known_at``. ``versions``: all
    that were known at ``as_of``, the oldest first. ``restatements``: moves of its known time since it was loaded, the last
    first. ``origins``: files that brought it, then those that may hold it, too. ``more_files``: there are further ones.
    ``sought``: what a parser has to look for. ``tenant``: owner of the series or the curve; None: shared. ``version``: of the
    series or the curve, for entity tags. ``computed_by``: None: the curve is not a derived one.
    """

    number: OfSeries | OfCurve
    value: float | None
    unit: str
    currency: str | None
    known_at: datetime
    basis: str
    versions: tuple[Version, ...]
    origins: tuple[Origin, ...]
    sought: Sought
    tenant: str | None
    version: tuple[int, int]
    as_of: datetime | None
    as_loaded: datetime | None
    restatements: tuple[Restated, ...] = field(default=())
    more_files: bool = False
    computed_by: ComputedBy | None = None


_COMPUTED = frozenset({"derived"})
"""Sources of files that Aurum computes itself."""


def sender_of(file: FileEntry) -> str | None:
    """Return the kind of subject that sent or computed a content without a file, such as ``key``; None: it was a file."""
    if file.format or not (file.sent_by or file.source == "private" or file.source in _COMPUTED):
        return None
    return file.sent_by.partition(":")[0] or "unknown"


def is_computed(file: FileEntry) -> bool:
    """Return whether a content was computed by Aurum from other numbers."""
    return file.source in _COMPUTED
