"""Series and their observations, made in a line, as files ready to be loaded."""

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
class SeriesBuilder:
    """A series and its observations as (interval start, value, known time, quality code)."""

    key: str
    unit: str
    frequency: str
    zone: str
    market: str | None
    rows: Sequence[tuple[datetime, float, datetime, int]]
    currency: str | None = None
    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


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
) -> SeriesBuilder:
    """Hour after hour from ``start`` on."""
    rows = [(start + number * timedelta(hours=1), value, known_at, 0) for number, value in enumerate(values)]
    return SeriesBuilder(key, unit, "1h", zone, market, rows, currency)


def file_of(given: SeriesBuilder, *, content: str = "", refused: Iterable[tuple[int, str, str]] = ()) -> FileLoad:
    """A series and its rows as one file; other ``content`` makes it another file.

    ``refused``: line, column and raw text of rows that go to quarantine as not numeric.
    """
    key = SeriesKey.parse(given.key)
    series = {
        "key": given.key,
        "source": key.source,
        "dataset": key.dataset,
        "location": key.location,
        "measure": key.measure,
        "market": given.market,
        "unit": given.unit,
        "currency": given.currency,
        "frequency": given.frequency,
        "zone": given.zone,
        "location_name": given.name,
        "location_type": "ZONE",
        "labels": json.dumps(dict(given.labels)),
    }
    rows = [(0, start, value, quality, known_at, 0) for start, value, known_at, quality in given.rows]
    held = [(line, column, raw, "non_numeric", "not a number") for line, column, raw in refused]
    record = FileRecord(
        name=f"{key.source}.csv",
        digest=hashlib.sha256((given.key + content).encode()).hexdigest(),
        size=100,
        source=key.source,
        dataset=key.dataset,
        known_at_basis=KnownAtBasis.FILE,
        rows_read=len(rows),
    )
    return FileLoad(
        record=record,
        parts=(SeriesRows(pl.DataFrame([series], schema=SERIES), pl.DataFrame(rows, schema=FILE_ROWS, orient="row")),),
        quarantine=pl.DataFrame(held, schema=REFUSED, orient="row"),
    )
