"""Curves of invented numbers: German base and peak, an own product of a tenant, and a service over them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl

from aurum.api.testing import InMemory, Served, on_clock, serving
from aurum.common.clock import SystemClock
from aurum.common.settings import AccessSettings, ApiSettings, DatabaseSettings, PrivateSettings, Settings
from aurum.core.api_keys import key_text
from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.clock import Clock
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.products import Product
from aurum.core.curves.quotes import FIELDS, FILE_CURVES, FILE_QUOTES
from aurum.core.frames import REFUSED
from aurum.services.access import create_tenant
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import Actor, ApiKey
from aurum.storage.ports.curves import CurveQuotes
from aurum.storage.ports.files import FileLoad, FileRecord
from aurum.storage.testing.access import insert_key
from aurum.storage.testing.stores import PostgresStore, Store

OPERATOR = Actor("operator")
BASE, PEAK, FRENCH = "power:XA:base:EXCH", "power:XA:peak:EXCH", "power:XB:base:EXCH"
OWN = "power:XA:base:DESK"
FRIDAY, MONDAY = date(2024, 10, 11), date(2024, 10, 14)
JAN, FEB, MAR = ((date(2025, month, 1), date(2025, month + 1, 1)) for month in (1, 2, 3))
Q1, Q2 = (date(2025, 1, 1), date(2025, 4, 1)), (date(2025, 4, 1), date(2025, 7, 1))
CORRECTED_AT = datetime(2024, 10, 15, 9, tzinfo=UTC)

PERSONS = (("anna", "approver"), ("anna2", "approver"), ("bert", "approver"), ("carl", "trader"), ("dora", "admin"))
"""Owners of keys with their roles; ``anna2`` is a second key of anna. ``Desks.of`` takes their names for a role."""

Prices = Mapping[tuple[date, date], float | None]
MONDAY_PRICES: Prices = {JAN: 102.0, FEB: 104.11, MAR: 89.37, Q1: 98.31, Q2: 78.48}
FRIDAY_PRICES: Prices = {JAN: 99.95, FEB: 101.86, MAR: 87.16, Q1: 96.14}


def product(key: str, *, block: str | None = None, unit: str = "EUR/MWh") -> Product:
    """Return a product with invented terms."""
    terms = {"seasons": "europe", "sessions": "XEEE"}
    return Product(CurveKey.parse(key), f"Invented {key}", "EUR", unit, 0.01, "eu_power", block, **terms)


def settled(trade_date: date) -> datetime:
    """Return the time at which the prices of a trade date are known."""
    return datetime(trade_date.year, trade_date.month, trade_date.day, 16, 30, tzinfo=UTC)


def file_of(
    prices: Mapping[str, Mapping[date, Prices]], *, known_at: datetime | None = None, tenant: str | None = None
) -> FileLoad:
    """Return a file of settlements by curve, trade date and delivery; bid and ask are a tenth of a unit beside them.

    ``known_at``: of all; None: 16:30 UTC on each trade date.
    """
    rows = [
        {
            "curve": number,
            "delivery_start": first,
            "delivery_end": end,
            "trade_date": day,
            "settle": price,
            "bid": None if price is None else price - 0.5,
            "ask": None if price is None else price + 0.5,
            "volume_mwh": 2159.0,
            "known_at": known_at or settled(day),
            "by_rule": False,
        }
        for number, by_day in enumerate(prices.values())
        for day, of_day in by_day.items()
        for (first, end), price in of_day.items()
    ]
    missing = [pl.lit(None, pl.Float64).alias(name) for name in FIELDS if not rows or name not in rows[0]]
    frame = pl.DataFrame(rows).with_columns(missing).select(pl.col(name).cast(kind) for name, kind in FILE_QUOTES.items())
    digest = hashlib.sha256(repr((prices, known_at, tenant)).encode()).hexdigest()
    record = FileRecord("invented.csv", digest, 1, "invented", "settlements", known_at_basis=KnownAtBasis.PUBLISHED)
    curves = pl.DataFrame({"key": list(prices)}, schema=FILE_CURVES)
    part = CurveQuotes("invented", "settlements", curves, frame, tenant=tenant)
    return FileLoad(record, (part,), pl.DataFrame(schema=REFUSED))


async def load_curves(store: Store) -> None:
    """Load two trade dates of base and peak, a correction of the second, and one trade date of a third curve."""
    async with store.transactions.transaction(by=OPERATOR) as tx:
        for one in (product(BASE), product(PEAK, block="PEAK"), product(FRENCH)):
            await tx.curve_reference.put_product(one, tenant=None)
    dearer = {period: None if price is None else price + 10 for period, price in MONDAY_PRICES.items()}
    await store.loader.load(
        file_of(
            {
                BASE: {FRIDAY: FRIDAY_PRICES | {Q2: None}, MONDAY: MONDAY_PRICES},
                PEAK: {MONDAY: dearer},
                FRENCH: {FRIDAY: {JAN: 80.0}},
            }
        )
    )
    await store.loader.load(file_of({BASE: {MONDAY: {Q2: 79.0}}}, known_at=CORRECTED_AT))


class Desk:
    """A client with the key of one tenant."""

    def __init__(self, served: Served, key: str) -> None:
        self.client = served.client
        self._headers = {"authorization": f"Bearer {key}"}

    async def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = self._headers | more.pop("headers", {})
        return await self.client.request(method, path, headers=headers, **more)

    async def get(self, path: str, /, **params: str) -> httpx.Response:
        return await self.send("GET", path, params=params or None)

    async def rows(self, path: str, /, **params: str) -> list[dict[str, Any]]:
        """Return the ``data`` of an answer that must succeed."""
        response = await self.get(path, **params)
        assert response.status_code == 200, response.text
        return response.json()["data"]


class Desks:
    """A service with two tenants, and a key of each role for either."""

    def __init__(self, served: Served, keys: Mapping[tuple[str, str], str]) -> None:
        self.served = served
        self._keys = keys

    def of(self, tenant: str = "acme", role: str = "trader") -> Desk:
        return Desk(self.served, self._keys[tenant, role])


@asynccontextmanager
async def serving_desks(
    store: Store,
    database_url: str | None,
    folder: Path,
    tenants: Sequence[str] = ("acme", "bolt"),
    *,
    document_rows: int = 50,
    clock: Clock | None = None,
    enable_v1: bool = False,
) -> AsyncIterator[Desks]:
    """Serve a store with the curves of this module. ``database_url``: of its database; None: a store in memory.

    ``document_rows``: most rows of a JSON document. ``clock``: of the service; None: that of the system.
    """
    await load_curves(store)
    now = SystemClock().now()
    keys: dict[tuple[str, str], str] = {}
    for number, tenant in enumerate(tenants):
        await create_tenant(store.transactions, tenant, tenant, "enterprise", by=OPERATOR)
        for role_number, role in enumerate(("user", "trader", "super_admin")):
            text, parts = key_text(bytes([number, role_number]) * 20)
            await insert_key(store.transactions, ApiKey(parts.key_id, tenant, role, (role,), (), now, "test"), parts.digest)
            keys[tenant, role] = text
        for person_number, (person, role) in enumerate(PERSONS):
            text, parts = key_text(bytes([number, 20 + person_number]) * 20)
            owned = ApiKey(parts.key_id, tenant, person, (role,), (), now, "test", owner=person.rstrip("2"))
            await insert_key(store.transactions, owned, parts.digest)
            keys[tenant, person] = text
        text, parts = key_text(bytes([number, 9]) * 20)
        market = ApiKey(parts.key_id, tenant, "market", (), ("series:read", "catalog:read"), now, "test")
        await insert_key(store.transactions, market, parts.digest)
        keys[tenant, "market"] = text
    settings = Settings(
        access=AccessSettings(mode="required"),
        private=PrivateSettings(series=3, points=100, body_bytes=20_000),
        api=ApiSettings(document_rows=document_rows, page_limit=100, enable_v1=enable_v1),
        data_dir=folder,
    )
    if isinstance(store, MemoryStore):
        opened = InMemory(store)
        opening = serving(settings, opened if clock is None else on_clock(opened, clock))
    else:
        assert isinstance(store, PostgresStore)
        assert database_url is not None
        database = DatabaseSettings(url=database_url, pool_size=4, private_pool_size=2)
        opening = serving(settings.model_copy(update={"database": database}))
    async with opening as served:
        yield Desks(served, keys)
