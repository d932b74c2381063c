"""The known time of a file's observations: the requested one, else the file's, else when it became available, else now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.errors import Invalid
from aurum.core.frames import UTC_US
from aurum.core.markettime import InvalidInstant, local_day, parse_moment
from aurum.pipelines.source import Dataset, Parsed, RefusedFile


class InvalidKnownAt(Invalid):
    """A known time that is neither a time with an offset, nor ``file``, nor ``schedule``. Facts: ``known_at``."""


@dataclass(frozen=True, slots=True)
class KnownAtPolicy:
    """The caller's choice of known time. ``basis`` None: the best that the file offers. ``time``: for ARGUMENT or AVAILABLE."""

    basis: KnownAtBasis | None = None
    time: datetime | None = None

    @classmethod
    def parse(cls, text: str | None) -> KnownAtPolicy:
        """Read a time (RFC 3339 with an offset), ``file``, ``schedule`` or None. Raises ``InvalidKnownAt``."""
        if text is None:
            return cls()
        if text in (KnownAtBasis.FILE, KnownAtBasis.SCHEDULE):
            return cls(KnownAtBasis(text))
        try:
            return cls(KnownAtBasis.ARGUMENT, parse_moment(text))
        except InvalidInstant as error:
            raise InvalidKnownAt(f"known-at: {error.detail}, or 'file' or 'schedule'", known_at=text) from error


@dataclass(frozen=True, slots=True)
class KnownTime:
    """The known time of one dataset in one file.

    ``time``: the same for all rows, UTC; None when it is the moment of loading or differs by row. ``column``: expression for
    the known time of each row.
    """

    basis: KnownAtBasis
    time: datetime | None
    column: pl.Expr


def known_time(parsed: Parsed, policy: KnownAtPolicy) -> KnownTime:
    """Apply a policy. Raises ``RefusedFile`` when the file or its dataset does not have the requested basis."""
    if policy.basis is KnownAtBasis.SCHEDULE:
        return KnownTime(KnownAtBasis.SCHEDULE, None, _scheduled(parsed.dataset))
    if policy.basis is KnownAtBasis.ARGUMENT:
        return _single(KnownAtBasis.ARGUMENT, policy.time)
    if parsed.known_at is not None:
        return _single(KnownAtBasis.FILE, parsed.known_at)
    if policy.basis is KnownAtBasis.FILE:
        raise RefusedFile("known-at 'file': the file does not say when it was published; give a time or 'schedule'")
    if policy.basis is KnownAtBasis.AVAILABLE:
        return _single(KnownAtBasis.AVAILABLE, policy.time)
    return _single(KnownAtBasis.INGESTION, None)


def _single(basis: KnownAtBasis, time: datetime | None) -> KnownTime:
    return KnownTime(basis, time, pl.lit(time, dtype=UTC_US))


def _scheduled(dataset: Dataset) -> pl.Expr:
    schedule = dataset.schedule
    if schedule is None:
        raise RefusedFile(
            f"known-at 'schedule': dataset {dataset.source}:{dataset.name} has no publication schedule; give a time or 'file'"
        )
    day = local_day(pl.col("ts"), dataset.zone) + pl.duration(days=schedule.days)
    return (
        day.dt.combine(schedule.at)
        .dt.cast_time_unit("us")
        .dt.replace_time_zone(schedule.zone, ambiguous="earliest", non_existent="null")
        .dt.convert_time_zone("UTC")
    )
