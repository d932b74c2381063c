"""Series and their observations, made in one line, as files to be loaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.frames import FILE_ROWS, REFUSED, SERIES
from aurum.core.keys import SeriesKey
from aurum.storage.ports.files import FileLoad, FileRecord
from aurum.storage.ports.observations import SeriesRows

_KNOWN_AT = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class InventedSeries:
    """An invented series and its observations as (interval start, value, known time, quality code)."""

    key: str
    unit: str
    frequency: str
    zone: str
    market: str | None
    rows: Sequence[tuple[datetime, float, datetime, int]]
    currency: str | None = None
    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    business_days: str | None = None
    kind: str = "other"
    market_run: str | None = None
    fuel: str | None = None


def hourly(
    key: str,
    start: datetime,
    values: Iterable[float],
    *,
    known_at: datetime = _KNOWN_AT,
    unit: str = "USD/MWh",
    currency: str | None = "USD",
    market: str | None = "NYISO",
    zone: str = "America/New_York",
) -> InventedSeries:
    """Return a series with one value for each hour from ``start`` on."""
    rows = [(start + number * timedelta(hours=1), value, known_at, 0) for number, value in enumerate(values)]
    return InventedSeries(key, unit, "1h", zone, market, rows, currency)


def file_of(series: InventedSeries, *, content: str = "", refused: Iterable[tuple[int, str, str]] = ()) -> FileLoad:
    """Return a series and its rows as one file. Another ``content`` gives it another digest.

    ``refused``: line, column and raw text of cells that go to quarantine as not numeric.
    """
    key = SeriesKey.parse(series.key)
    row = {
        "key": series.key,
        "source": key.source,
        "dataset": key.dataset,
        "location": key.location,
        "measure": key.measure,
        "market": series.market,
        "unit": series.unit,
        "currency": series.currency,
        "frequency": series.frequency,
        "zone": series.zone,
        "location_name": series.name,
        "location_type": "ZONE",
        "labels": json.dumps(dict(series.labels)),
        "business_days": series.business_days,
        "kind": series.kind,
        "market_run": series.market_run,
        "fuel": series.fuel,
        "fuel_detail": None,
    }
    rows = [(0, start, value, quality, known_at, 0) for start, value, known_at, quality in series.rows]
    held = [(line, column, raw, "non_numeric", "not a number") for line, column, raw in refused]
    record = FileRecord(
        name=f"{key.source}.csv",
        digest=hashlib.sha256((series.key + content).encode()).hexdigest(),
        size=100,
        source=key.source,
        dataset=key.dataset,
        known_at_basis=KnownAtBasis.PUBLISHED,
        rows_read=len(rows),
    )
    return FileLoad(
        record=record,
        parts=(SeriesRows(pl.DataFrame([row], schema=SERIES), pl.DataFrame(rows, schema=FILE_ROWS, orient="row")),),
        quarantine=pl.DataFrame(held, schema=REFUSED, orient="row"),
    )
