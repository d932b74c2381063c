"""Which known time a file's observations get: as asked, else as the file says, else when it was available, else now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from aurum.core.asof import Span
from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.errors import Invalid
from aurum.core.frames import UTC_US
from aurum.core.markettime import local_day
from aurum.pipelines.source import Dataset, Parsed, RefusedFile


class InvalidKnownAt(Invalid):
    """A known time that is neither a time with a zone, nor ``file``, nor ``schedule``. Facts: ``known_at``."""


@dataclass(frozen=True, slots=True)
class KnownAtPolicy:
    """What the caller asks for. ``basis`` None: the best the file offers. ``time``: with basis ARGUMENT or AVAILABLE."""

    basis: KnownAtBasis | None = None
    time: datetime | None = None

    @classmethod
    def parse(cls, text: str | None) -> KnownAtPolicy:
        """A time (RFC 3339 with an offset), ``file``, ``schedule`` or nothing. Raises ``InvalidKnownAt``."""
        if text is None:
            return cls()
        if text in (KnownAtBasis.FILE, KnownAtBasis.SCHEDULE):
            return cls(KnownAtBasis(text))
        try:
            instant = datetime.fromisoformat(text)
        except ValueError as error:
            raise InvalidKnownAt(f"known-at {text!r}: give a time, 'file' or 'schedule'", known_at=text) from error
        if instant.tzinfo is None:
            raise InvalidKnownAt(f"known-at {text!r} has no offset: write e.g. {text}Z", known_at=text)
        Span(start=instant)
        return cls(KnownAtBasis.ARGUMENT, instant.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class KnownTime:
    """The answer for one dataset of one file: a basis, one time for all rows (None: now, or it differs), a column."""

    basis: KnownAtBasis
    time: datetime | None
    column: pl.Expr


def known_time(parsed: Parsed, policy: KnownAtPolicy) -> KnownTime:
    """Apply a policy. Raises ``RefusedFile`` when the file or its dataset does not have what was asked for."""
    if policy.basis is KnownAtBasis.SCHEDULE:
        return KnownTime(KnownAtBasis.SCHEDULE, None, _scheduled(parsed.dataset))
    if policy.basis is KnownAtBasis.ARGUMENT:
        return _single(KnownAtBasis.ARGUMENT, policy.time)
    if parsed.known_at is not None:
        return _single(KnownAtBasis.FILE, parsed.known_at)
    if policy.basis is KnownAtBasis.FILE:
        raise RefusedFile("the file does not say when it was published; give --known-at a time or 'schedule'")
    if policy.basis is KnownAtBasis.AVAILABLE:
        return _single(KnownAtBasis.AVAILABLE, policy.time)
    return _single(KnownAtBasis.INGESTION, None)


def _single(basis: KnownAtBasis, time: datetime | None) -> KnownTime:
    return KnownTime(basis, time, pl.lit(time, dtype=UTC_US))


def _scheduled(dataset: Dataset) -> pl.Expr:
    schedule = dataset.schedule
    if schedule is None:
        raise RefusedFile(f"dataset {dataset.source}:{dataset.name} declares no usual time of publication")
    day = local_day(pl.col("ts"), dataset.zone) + pl.duration(days=schedule.days)
    return (
        day.dt.combine(schedule.at)
        .dt.cast_time_unit("us")
        .dt.replace_time_zone(schedule.zone, ambiguous="earliest", non_existent="null")
        .dt.convert_time_zone("UTC")
    )
