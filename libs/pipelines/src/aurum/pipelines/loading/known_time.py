"""The known time of a file's observations: the requested one, else the file's, else when it became available, else now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.errors import Invalid
from aurum.core.frames import UTC_US
from aurum.core.frequency import Frequency
from aurum.core.markettime import InvalidInstant, local_day, parse_moment
from aurum.core.series.weeks import LABEL, Week
from aurum.pipelines.source import Parsed, RefusedFile


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
    the known time of each row, over the rows joined with the columns ``of_series`` of their series.
    """

    basis: KnownAtBasis
    time: datetime | None
    column: pl.Expr
    of_series: tuple[str, ...] = ()


def known_time(parsed: Parsed, policy: KnownAtPolicy) -> KnownTime:
    """Apply a policy. Raises ``RefusedFile`` when the file or its dataset does not have the requested basis."""
    if policy.basis is KnownAtBasis.SCHEDULE:
        return KnownTime(KnownAtBasis.SCHEDULE, None, _scheduled(parsed), ("zone", "frequency", "labels"))
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


def _scheduled(parsed: Parsed) -> pl.Expr:
    dataset = parsed.dataset
    schedule = dataset.schedule
    if schedule is None:
        raise RefusedFile(
            f"known-at 'schedule': dataset {dataset.source}:{dataset.name} has no publication schedule; give a time or 'file'"
        )
    day = _stamped_day(parsed.series) + pl.duration(days=schedule.days)
    return (
        day.dt.combine(schedule.at)
        .dt.cast_time_unit("us")
        .dt.replace_time_zone(schedule.zone, ambiguous="earliest", non_existent="null")
        .dt.convert_time_zone("UTC")
    )


def _stamped_day(series: pl.DataFrame) -> pl.Expr:
    """Return the day that a publication is counted from: the local day of an interval, and the last day of a weekly flow.

    ``series``: schema ``PARSED_SERIES``. The expression reads ``ts`` and the columns ``zone``, ``frequency`` and ``labels`` of
    the series of each row.
    """
    zones: list[str] = series["zone"].unique().to_list()
    days = [pl.when(pl.col("zone") == zone).then(local_day(pl.col("ts"), zone)) for zone in zones]
    week = pl.col("labels").str.json_path_match(f"$.{LABEL}")
    is_flow = (pl.col("frequency") == str(Frequency.WEEK)) & (week == str(Week.FLOW))
    later = pl.when(is_flow).then(pl.duration(days=Week.FLOW.days_before_stamp)).otherwise(pl.duration(days=0))
    return pl.coalesce(days) + later if days else pl.lit(None, dtype=pl.Date)
