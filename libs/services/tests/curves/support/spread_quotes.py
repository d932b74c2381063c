"""Invented quotes of power, gas, coal, allowances, oil and exchange rates, with bids and asks, for tests of spreads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from curve_quotes import BY

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.periods import parse_period
from aurum.core.curves.products import Product, default_weighting
from aurum.core.curves.quotes import FILE_CURVES, FILE_QUOTES
from aurum.core.curves.seasons import default_season_families
from aurum.core.errors import Conflict
from aurum.core.frames import REFUSED
from aurum.core.units import parse_unit
from aurum.services.curves import CurveReading
from aurum.services.observations import Reading
from aurum.storage.ports.curves import CurveQuotes
from aurum.storage.ports.files import FileLoad, FileRecord
from aurum.storage.testing.builders import T0, Point, file_load
from aurum.storage.testing.stores import Store

POWER, GAS, NBP = "power:DE:base:EEX", "gas:TTF:base:ICE", "gas:NBP:base:ICE"
COAL, EUA, EURUSD = "coal:API2:base:ICE", "emissions:EUA:base:EEX", "fx:EURUSD:base:DESK"
WTI, RBOB, ULSD, GASOIL = "oil:WTI:base:NYMEX", "oil:RBOB:base:NYMEX", "oil:ULSD:base:NYMEX", "oil:Gasoil:base:ICE"
TERMS: Mapping[str, tuple[str, str]] = {
    POWER: ("EUR/MWh", "eu_power"),
    GAS: ("EUR/MWh", "eu_gas"),
    NBP: ("GBp/therm", "uk_gas"),
    COAL: ("USD/t", "coal"),
    EUA: ("EUR/t", "emissions"),
    EURUSD: ("USD/EUR", "fx"),
    WTI: ("USD/bbl", "oil"),
    RBOB: ("USD/gal", "oil"),
    ULSD: ("USD/gal", "oil"),
    GASOIL: ("USD/t", "oil"),
}
Quote = tuple[str, float | None, float | None, float | None]
"""Period, bid, settlement, ask."""

_EUROPE = next(family for family in default_season_families() if family.name == "europe")
KNOWN = datetime(2024, 10, 14, 16, 30, tzinfo=UTC)


def spread_product(key: str) -> Product:
    """Return a product with the unit and the calendar of ``TERMS``."""
    unit, calendar = TERMS[key]
    parsed = CurveKey.parse(key)
    weighting = default_weighting(parsed.commodity)
    seasons = "europe" if parsed.commodity in ("power", "gas") else None
    return Product(
        parsed, f"Invented {key}", parse_unit(unit).currency, unit, 0.01, calendar, weighting=weighting, seasons=seasons
    )


def settled(*quotes: tuple[str, float | None]) -> Sequence[Quote]:
    """Return quotes without bid and ask."""
    return [(label, None, price, None) for label, price in quotes]


def quotes_file(
    quotes: Mapping[str, Mapping[date, Sequence[Quote]]], *, known_at: datetime = KNOWN, tenant: str | None = None
) -> FileLoad:
    """Return a file of quotes by curve and trade date."""
    rows: list[dict[str, object]] = []
    for place, by_date in enumerate(quotes.values()):
        for day, of_day in by_date.items():
            for label, bid, settle, ask in of_day:
                period = parse_period(label, seasons=_EUROPE)
                rows.append(
                    {
                        "curve": place,
                        "delivery_start": period.first,
                        "delivery_end": period.end,
                        "trade_date": day,
                        "bid": bid,
                        "settle": settle,
                        "ask": ask,
                        "known_at": known_at,
                        "by_rule": False,
                    }
                )
    frame = pl.DataFrame(rows, schema_overrides={name: FILE_QUOTES[name] for name in rows[0]})
    missing = [pl.lit(None, kind).alias(name) for name, kind in FILE_QUOTES.items() if name not in frame.columns]
    content = repr((quotes, known_at, tenant))
    digest = hashlib.sha256(content.encode()).hexdigest()
    record = FileRecord("quotes.csv", digest, len(content), "invented", "settlements", known_at_basis=KnownAtBasis.PUBLISHED)
    curves = pl.DataFrame({"key": list(quotes)}, schema=FILE_CURVES)
    part = CurveQuotes("invented", "settlements", curves, frame.with_columns(missing).select(list(FILE_QUOTES)), tenant=tenant)
    return FileLoad(record, (part,), pl.DataFrame(schema=REFUSED))


def rates_file(currency: str, rates: Mapping[date, float]) -> FileLoad:
    """Return a file of the ECB's rates, known on their days: the price of a euro in a currency, by day."""
    points: list[Point] = []
    for day, rate in rates.items():
        # A day begins at 00:00 in Brussels; in winter that is an hour before that of UTC, in summer two.
        start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/Brussels")).astimezone(UTC) - T0
        points.append((start / timedelta(hours=1), start / timedelta(days=1) + 0.6, rate))
    return file_load(
        points,
        key=f"ecb:reference_rates:EUR{currency}:rate",
        unit=f"{currency}/EUR",
        currency=currency,
        frequency="1d",
        zone="Europe/Brussels",
    )


async def spread_reading(
    store: Store, *files: FileLoad, keys: Sequence[str] = tuple(TERMS), tenants: Mapping[str, str] | None = None
) -> CurveReading:
    """Add the products of ``TERMS``, load files, and return the readers of a caller of no tenant."""
    for tenant in set((tenants or {}).values()):
        async with store.transactions.transaction(by=BY) as tx:
            await tx.tenants.insert(tenant, tenant.title(), "basic")
    for key in keys:
        try:
            async with store.transactions.transaction(by=BY) as tx:
                await tx.curve_reference.put_product(spread_product(key), tenant=(tenants or {}).get(key))
        except Conflict:
            pass  # an earlier call has added it
    for file in files:
        await store.loader.load(file)
    return CurveReading(store.curves, Reading(store.catalog, store.reader, store.partials, loaded=store.loaded), None)
