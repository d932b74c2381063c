"""Builders of files that are ready to be stored, with invented numbers around one fixed instant."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import polars as pl

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.catalog.quality import Reason
from aurum.core.frames import FILE_ROWS, REFUSED, SERIES
from aurum.core.keys import SeriesKey
from aurum.storage.ports.files import FileLoad, FileRecord
from aurum.storage.ports.observations import RuleDated, SeriesRows

T0 = datetime(2025, 1, 1, tzinfo=UTC)
"""Origin of the offsets of points: hours for the valid time, days for the known time."""

KEY = "invented:numbers:A:value"

Point: TypeAlias = (
    tuple[float, float | None, float] | tuple[float, float | None, float, int] | tuple[float, float | None, float, int, int]
)
"""Hours after ``T0``, known days after ``T0`` (None: that of the file), value; then quality and version, 0 by default."""


def hour(offset: float) -> datetime:
    """Return the valid time at an offset in hours."""
    return T0 + timedelta(hours=offset)


def day(offset: float) -> datetime:
    """Return the known time at an offset in days."""
    return T0 + timedelta(days=offset)


def file_load(
    points: Iterable[Point],
    *,
    key: str = KEY,
    unit: str = "MW",
    frequency: str = "1h",
    zone: str = "UTC",
    basis: KnownAtBasis = KnownAtBasis.PUBLISHED,
    known_at: datetime | None = None,
    digest: str | None = None,
    name: str = "invented.csv",
    market: str | None = None,
    currency: str | None = None,
    location_name: str = "",
    location_type: str = "",
    labels: Mapping[str, str] | None = None,
    business_days: str | None = None,
    kind: str = "other",
    market_run: str | None = None,
    fuel: str | None = None,
    fuel_detail: str | None = None,
    held: Iterable[tuple[int, Reason]] = (),
    rule: RuleDated | None = None,
    is_forecast: bool = False,
    issue_at: datetime | None = None,
) -> FileLoad:
    """Return a file of one series.

    ``rule``: points with a known time of their own have it from a publication rule. ``held``: line and reason of rows in
    quarantine. ``digest``: None means the digest of the content.

    Raises ``ValueError`` when a point would have no known time.
    """
    file_points = list(points)
    refused = list(held)
    if known_at is None and basis is not KnownAtBasis.INGESTED and any(known is None for _, known, *_ in file_points):
        raise ValueError("a point has no known time: give it one, set known_at, or use the basis INGESTED")
    parts = SeriesKey.parse(key)
    series = {
        "key": key,
        "source": parts.source,
        "dataset": parts.dataset,
        "location": parts.location,
        "measure": parts.measure,
        "market": market,
        "unit": unit,
        "currency": currency,
        "frequency": frequency,
        "zone": zone,
        "location_name": location_name,
        "location_type": location_type,
        "labels": json.dumps(dict(labels or {})),
        "business_days": business_days,
        "kind": kind,
        "market_run": market_run,
        "fuel": fuel,
        "fuel_detail": fuel_detail,
    }
    content = repr((series, file_points, refused))
    record = FileRecord(
        name=name,
        digest=digest or hashlib.sha256(content.encode()).hexdigest(),
        size=len(content),
        source=parts.source,
        dataset=parts.dataset,
        known_at=known_at,
        known_at_basis=basis,
        rows_read=len(file_points) + len(refused),
    )
    return FileLoad(
        record=record,
        parts=(
            SeriesRows(
                pl.DataFrame([series], schema=SERIES), _rows(file_points), rule, is_forecast=is_forecast, issue_at=issue_at
            ),
        ),
        quarantine=pl.DataFrame(
            [(line, "value", "n/a", str(reason), "not a number") for line, reason in refused], schema=REFUSED, orient="row"
        ),
    )


def together(*files: FileLoad) -> FileLoad:
    """Return one file with the contents of several files of one dataset, and the name, known time and basis of the first."""
    first = files[0].record
    parts = [part for file in files for part in file.parts if isinstance(part, SeriesRows)]
    starts = [sum(part.series.height for part in parts[:number]) for number in range(len(parts))]
    rows = [
        part.rows.with_columns((pl.col("series") + start).cast(pl.UInt32)) for part, start in zip(parts, starts, strict=True)
    ]
    record = replace(
        first,
        digest=hashlib.sha256("".join(file.record.digest for file in files).encode()).hexdigest(),
        size=sum(file.record.size for file in files),
        rows_read=sum(file.record.rows_read for file in files),
    )
    return FileLoad(
        record=record,
        parts=(replace(parts[0], series=pl.concat([part.series for part in parts]), rows=pl.concat(rows)),),
        quarantine=pl.concat([file.quarantine for file in files]),
    )


def _rows(points: list[Point]) -> pl.DataFrame:
    rows: list[tuple[int, datetime, float, int, datetime | None, int]] = []
    for ts, known, value, *rest in points:
        quality, version = (*rest, 0, 0)[:2]
        rows.append((0, hour(ts), value, quality, None if known is None else day(known), version))
    return pl.DataFrame(rows, schema=FILE_ROWS, orient="row")
