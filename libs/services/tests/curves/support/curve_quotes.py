"""Invented products, sessions of quotes and spot prices for tests of builds."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import polars as pl

from aurum.core.calendars import default_blocks
from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.periods import parse_period
from aurum.core.curves.products import Product
from aurum.core.curves.quotes import FILE_CURVES, FILE_QUOTES
from aurum.core.curves.seasons import default_season_families
from aurum.core.errors import Conflict
from aurum.core.frames import REFUSED
from aurum.services.curves import CurveReading
from aurum.services.observations import Reading
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import CurveQuotes
from aurum.storage.ports.files import FileLoad, FileRecord
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import Store

BASE, PEAK = "power:XX:base:INVENTED", "power:XX:peak:INVENTED"
SPOT = "invented:day_ahead:XX:price"
BY = Actor("operator")
_KNOWN = datetime(2024, 1, 1, tzinfo=UTC)
_EUROPE = next(family for family in default_season_families() if family.name == "europe")


def product_of(key: str) -> Product:
    """Return a European power product with invented terms; its block is that of its key."""
    parsed = CurveKey.parse(key)
    block = None if parsed.block == "base" else parsed.block.upper()
    return Product(parsed, f"Invented {key}", "EUR", "EUR/MWh", 0.01, "eu_power", block, seasons="europe", settles_on=SPOT)


def session_file(
    key: str, trade_date: date, quotes: Sequence[tuple[str, float | None]], *, known_at: datetime = _KNOWN
) -> FileLoad:
    """Return a file with the settlements of one session. A period is a label."""
    periods = [parse_period(label, seasons=_EUROPE) for label, _ in quotes]
    rows = {
        "curve": [0] * len(quotes),
        "delivery_start": [period.first for period in periods],
        "delivery_end": [period.end for period in periods],
        "trade_date": [trade_date] * len(quotes),
        "settle": [price for _, price in quotes],
        "known_at": [known_at] * len(quotes),
        "by_rule": [False] * len(quotes),
    }
    frame = pl.DataFrame(rows, schema_overrides={name: FILE_QUOTES[name] for name in rows})
    missing = [pl.lit(None, kind).alias(name) for name, kind in FILE_QUOTES.items() if name not in rows]
    content = repr((key, rows))
    record = FileRecord(
        name=f"{key}-{trade_date}.csv",
        digest=hashlib.sha256(content.encode()).hexdigest(),
        size=len(content),
        source="invented",
        dataset="settlements",
        known_at=None,
        known_at_basis=KnownAtBasis.PUBLISHED,
        rows_read=len(quotes),
    )
    curves = pl.DataFrame({"key": [key]}, schema=FILE_CURVES)
    part = CurveQuotes("invented", "settlements", curves, frame.with_columns(missing).select(list(FILE_QUOTES)))
    return FileLoad(record, (part,), pl.DataFrame(schema=REFUSED))


def history_file(key: str, quotes: pl.DataFrame, *, known_at: datetime = _KNOWN) -> FileLoad:
    """Return a file with settlements of many sessions.

    ``quotes``: ``trade_date``, ``delivery_start``, ``delivery_end``, ``settle``; also ``known_at``, where it differs by row.
    """
    known = {} if "known_at" in quotes.columns else {"known_at": pl.lit(known_at)}
    frame = quotes.with_columns(curve=pl.lit(0), by_rule=pl.lit(value=False), **known)
    missing = [pl.lit(None).alias(name) for name in FILE_QUOTES if name not in frame.columns]
    rows = frame.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in FILE_QUOTES.items())
    content = repr((key, quotes.hash_rows().sum(), known_at))
    digest = hashlib.sha256(content.encode()).hexdigest()
    record = FileRecord(f"{key}.csv", digest, len(content), "invented", "settlements", known_at_basis=KnownAtBasis.PUBLISHED)
    part = CurveQuotes("invented", "settlements", pl.DataFrame({"key": [key]}, schema=FILE_CURVES), rows)
    return FileLoad(record, (part,), pl.DataFrame(schema=REFUSED))


def hourly_spot(start: datetime, values: Sequence[float], *, known_at: datetime = _KNOWN) -> FileLoad:
    """Return a file with hourly spot prices."""
    from aurum.storage.testing.builders import T0

    points = [((start - T0) / timedelta(hours=1) + hour, 0, value) for hour, value in enumerate(values)]
    del known_at
    return file_load(points, key=SPOT, unit="EUR/MWh", currency="EUR", zone="Europe/Berlin", frequency="1h")


async def curve_reading(store: Store, *files: FileLoad, tenants: Mapping[str, str] | None = None) -> CurveReading:
    """Load files, with the products that they quote, and return the readers of a caller of no tenant."""
    blocks = [block.to_document() for block in default_blocks()]
    await store.catalog_writer.declare(sources=[], datasets=[], blocks=blocks)
    keys = [BASE, PEAK]
    for file in files:
        for part in file.parts:
            if isinstance(part, CurveQuotes):
                keys += part.curves["key"].to_list()
    for tenant in set((tenants or {}).values()):
        async with store.transactions.transaction(by=BY) as tx:
            await tx.tenants.insert(tenant, tenant.title(), "basic")
    for key, tenant in [*((key, None) for key in dict.fromkeys(keys)), *(tenants or {}).items()]:
        try:
            async with store.transactions.transaction(by=BY) as tx:
                await tx.curve_reference.put_product(product_of(key), tenant=tenant)
        except Conflict:
            pass  # an earlier call has added it
    for file in files:
        await store.loader.load(file)
    observations = Reading(store.catalog, store.reader, store.partials, loaded=store.loaded)
    return CurveReading(store.curves, observations, None)


def reading_of_tenant(store: Store, reading: CurveReading, tenant: str) -> CurveReading:
    """Return the readers of a caller of a tenant."""
    return replace(reading, tenant=tenant, own=store.private.of(tenant).loaded)


class CountedReads:
    """A reader that counts its calls by method."""

    def __init__(self, inner: Any, calls: Counter[str]) -> None:
        self._inner, self._calls = inner, calls

    def __getattr__(self, name: str) -> Any:
        self._calls[name] += 1
        return getattr(self._inner, name)


def counted(reading: CurveReading) -> tuple[CurveReading, Counter[str]]:
    """Return readers that count their calls, and the counts."""
    calls = Counter[str]()
    observations = replace(reading.observations, reader=cast("Any", CountedReads(reading.observations.reader, calls)))
    return replace(reading, curves=cast("Any", CountedReads(reading.curves, calls)), observations=observations), calls
