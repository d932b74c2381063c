"""A small store of invented numbers: hourly, five-minute, daily and irregular series, revisions, odd keys, rates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from aurum.api.testing.observations import InventedSeries
from aurum.api.testing.observations import file_of as file_of_series
from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings
from aurum.core.calendars import default_blocks
from aurum.core.catalog.entries import DatasetEntry, SourceEntry
from aurum.storage.embedded import EmbeddedPostgres
from aurum.storage.ports.files import FileLoad, FileRecord
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.databases import create_database
from aurum.storage.testing.stores import PostgresStore

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

NYC = "nyiso:damlbmp_zone:61761:lmp"
WEST = "nyiso:damlbmp_zone:61752:lmp"
HOUSTON = "ercot:dam_spp:HB_HOUSTON:spp"
LOAD = "nyiso:pal:61761:load"
ODD = "pjm:da_hrl_lmps:A/B, 50% C.D:E/observations:lmp"
GAS = "eia:henry_hub:daily:price"
OLD_PRICE = "invented:old:1:price"
"""A price of a day without an exchange rate."""
TANK = "invented:tank:1:level"
EMPTY = "invented:tank:2:level"
LONG = "invented:long:1:load"

NYC_START = datetime(2025, 10, 31, 4, tzinfo=UTC)
"""Midnight in New York; the store holds 2025-10-31 to 2025-11-05, with the fall-back day 2025-11-02."""
NYC_HOURS = 24 + 24 + 25 + 24 + 24
FIRST_KNOWN = datetime(2025, 10, 30, 15, tzinfo=UTC)
REVISED_KNOWN = datetime(2025, 11, 10, 12, 30, tzinfo=UTC)
REVISED = {5: 1000.0, 30: 2000.0}
"""Hours of NYC since ``NYC_START`` whose value was corrected at ``REVISED_KNOWN``."""
WITHDRAWN_HOUR = 7


async def market_database(server: EmbeddedPostgres, template: str, name: str) -> str:
    """Create a database with the series of this module, and return its URL. ``template``: the name of a migrated one."""
    url = await create_database(server, name, template)
    pool = await PostgresPool.open(DatabaseSettings(url=url, pool_size=4))
    store = PostgresStore(pool, SystemClock())
    await declare(store)
    await load(store)
    await pool.close()
    return url


def nyc_value(hour: int) -> float:
    """Return the first published value of an hour of NYC."""
    return round(30 + hour * 0.25, 2)


_DAY_AHEAD = {"kind": "price", "market_run": "day_ahead"}
_LOAD = {"kind": "load", "market_run": "real_time"}


def invented_series() -> list[InventedSeries]:
    """All series of the store."""
    nan = float("nan")
    nyc = [(NYC_START + hour * HOUR, nyc_value(hour), FIRST_KNOWN, 0) for hour in range(NYC_HOURS)]
    nyc += [(NYC_START + hour * HOUR, value, REVISED_KNOWN, 0) for hour, value in REVISED.items()]
    nyc += [(NYC_START + WITHDRAWN_HOUR * HOUR, nan, REVISED_KNOWN, 9)]
    west = [(NYC_START + hour * HOUR, 10.0 + hour, FIRST_KNOWN, 1) for hour in range(48)]
    houston_start = datetime(2025, 11, 1, 5, tzinfo=UTC)
    houston = [(houston_start + hour * HOUR, 20.0 + hour, FIRST_KNOWN, 0) for hour in range(48)]
    five = [(NYC_START + i * timedelta(minutes=5), float(i % 12), FIRST_KNOWN, 0) for i in range(576)]
    days = [datetime(2025, 10, 27, 4, tzinfo=UTC) + i * DAY for i in range(6)]
    rates = [datetime(2025, 10, day, 22, tzinfo=UTC) for day in (26, 27, 28, 29, 30)]
    long = [(datetime(2020, 1, 1, tzinfo=UTC) + i * HOUR, float(i), FIRST_KNOWN, 0) for i in range(70_000)]
    return [
        InventedSeries(NYC, "USD/MWh", "1h", "America/New_York", "NYISO", nyc, "USD", "N.Y.C.", **_DAY_AHEAD),
        InventedSeries(WEST, "USD/MWh", "1h", "America/New_York", "NYISO", west, "USD", "WEST", **_DAY_AHEAD),
        InventedSeries(HOUSTON, "USD/MWh", "1h", "America/Chicago", "ERCOT", houston, "USD", "Houston hub", **_DAY_AHEAD),
        InventedSeries(LOAD, "MW", "5min", "America/New_York", "NYISO", five, None, "N.Y.C.", **_LOAD),
        InventedSeries(ODD, "USD/MWh", "1h", "America/New_York", "PJM", [(NYC_START, 1.5, FIRST_KNOWN, 0)], "USD", 'A "B", C'),
        InventedSeries(GAS, "USD/MMBtu", "1d", "America/New_York", None, [(day, 3.5, FIRST_KNOWN, 0) for day in days], "USD"),
        InventedSeries(
            OLD_PRICE, "USD/MWh", "1h", "America/New_York", None,
            [(datetime(2001, 7, 4, 12, tzinfo=UTC), 50.0, FIRST_KNOWN, 0)], "USD",
        ),
        InventedSeries(TANK, "bbl", "irregular", "UTC", None, [(NYC_START + timedelta(seconds=1.5), 7.0, FIRST_KNOWN, 3)]),
        InventedSeries(EMPTY, "bbl", "1d", "UTC", None, []),
        InventedSeries(LONG, "MW", "1h", "UTC", None, long, kind="generation", fuel="wind"),
        InventedSeries(
            "ecb:reference_rates:EURUSD:rate", "USD/EUR", "1d", "Europe/Brussels", None,
            [(day, 1.25, FIRST_KNOWN, 0) for day in rates], "USD",
        ),
        InventedSeries(
            "ecb:reference_rates:EURGBP:rate", "GBP/EUR", "1d", "Europe/Brussels", None,
            [(day, 0.75, FIRST_KNOWN, 0) for day in rates], "GBP",
        ),
    ]  # fmt: skip


def file_of(series: InventedSeries, *, content: str = "") -> FileLoad:
    """Return a series and its rows as one file; prices of hubs and zones have a cell in quarantine."""
    refused = [(7, "value", "n/a")] if series.key in (NYC, WEST, HOUSTON) else []
    return file_of_series(series, content=content, refused=refused)


RULE: Mapping[str, object] = {
    "rule": "11:00 America/New_York on the day before",
    "source": "NYISO Manual 11",
    "evidence": "documented",
    "measures": [],
    "locations": [],
    "per_issue": False,
}


async def declare(store: PostgresStore) -> None:
    """Declare the sources, datasets and blocks of the catalog."""
    measures = ({"name": "lmp", "unit": "USD/MWh", "title": "Price"},)
    await store.catalog_writer.declare(
        sources=[SourceEntry("nyiso", "New York ISO", "https://www.nyiso.com")],
        datasets=[
            DatasetEntry(
                "nyiso",
                "damlbmp_zone",
                "Day-ahead zonal LBMP",
                "America/New_York",
                "1h",
                measures,
                "NYISO",
                freshness_hours=36,
                publication=(RULE,),
            )
        ],
        blocks=[block.to_document() for block in default_blocks()],
    )


async def load(store: PostgresStore) -> None:
    """Load all series, and one refused file."""
    for entry in invented_series():
        await store.loader.load(file_of(entry))
    empty = FileRecord("empty.csv", "0" * 64, 0, "nyiso", "damlbmp_zone")
    await store.loader.refuse(empty, reason="the file is empty")
