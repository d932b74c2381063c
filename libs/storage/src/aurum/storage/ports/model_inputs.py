"""Inputs of a warehouse: the tables of the store in one snapshot, and the calendars of market days, blocks and deliveries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from enum import StrEnum
from typing import Protocol

import polars as pl

from aurum.core.frames import UTC_US
from aurum.storage.ports.curves import ReferenceKind

SERIES_TABLE = pl.Schema(
    {
        "series_id": pl.Int32(),
        "key": pl.String(),
        "source": pl.String(),
        "dataset": pl.String(),
        "location": pl.String(),
        "measure": pl.String(),
        "market": pl.String(),
        "unit": pl.String(),
        "currency": pl.String(),
        "frequency": pl.String(),
        "zone": pl.String(),
        "location_name": pl.String(),
        "location_type": pl.String(),
        "labels": pl.String(),
        "version": pl.Int64(),
        "first_ts": UTC_US,
        "last_ts": UTC_US,
        "updated_at": UTC_US,
        "kind": pl.String(),
        "market_run": pl.String(),
        "fuel": pl.String(),
        "fuel_detail": pl.String(),
    }
)
"""One row for each series, with columns of its table; ``labels`` is a JSON object of strings. New columns go to the end, where
copies of earlier releases get them."""

DATASETS = pl.Schema(
    {
        "source": pl.String(),
        "name": pl.String(),
        "title": pl.String(),
        "zone": pl.String(),
        "frequency": pl.String(),
        "market": pl.String(),
        "freshness_hours": pl.Float64(),
    }
)

FILES = pl.Schema(
    {
        "file_id": pl.Int64(),
        "name": pl.String(),
        "source": pl.String(),
        "dataset": pl.String(),
        "status": pl.String(),
        "known_at": UTC_US,
        "known_at_basis": pl.String(),
        "rows_read": pl.Int64(),
        "quarantined": pl.Int64(),
        "loaded_at": UTC_US,
    }
)

OBSERVATION = pl.Schema(
    {"series_id": pl.Int32(), "ts": UTC_US, "value": pl.Float64(), "quality": pl.Int16(), "known_at": UTC_US}
)

OBSERVATION_VERSION = pl.Schema(
    {
        "series_id": pl.Int32(),
        "ts": UTC_US,
        "known_at": UTC_US,
        "superseded_at": UTC_US,
        "value": pl.Float64(),
        "quality": pl.Int16(),
    }
)

COMPLETENESS = pl.Schema({"series_id": pl.Int32(), "day": pl.Date(), "expected": pl.Int32(), "present": pl.Int32()})

MARKET_DAY = pl.Schema(
    {
        "zone": pl.String(),
        "market_day": pl.Date(),
        "starts_at": UTC_US,
        "ends_at": UTC_US,
        "weekday": pl.Int16(),
        "nerc_holiday": pl.Boolean(),
    }
)
"""Local days with their start and end. ``weekday``: ISO, Monday is 1."""

BLOCK_HOUR = pl.Schema(
    {
        "calendar": pl.String(),
        "block": pl.String(),
        "ts": UTC_US,
        "market_day": pl.Date(),
        "hour_ending": pl.Int16(),
    }
)
"""Hours of blocks from ``core.calendars.block_hours``; ``market_day`` and ``hour_ending`` follow the block's clock."""

PRODUCTS = pl.Schema(
    {
        "curve_id": pl.Int32(),
        "key": pl.String(),
        "title": pl.String(),
        "commodity": pl.String(),
        "area": pl.String(),
        "block": pl.String(),
        "venue": pl.String(),
        "document": pl.String(),
        "version": pl.Int64(),
        "first_trade_date": pl.Date(),
        "last_trade_date": pl.Date(),
    }
)
"""One row for each shared product; ``document`` is its terms, a JSON object. Products of tenants are in no model."""

QUOTES_IN_FORCE = pl.Schema(
    {
        "curve_id": pl.Int32(),
        "trade_date": pl.Date(),
        "delivery_start": pl.Date(),
        "delivery_end": pl.Date(),
        "settle": pl.Float64(),
        "bid": pl.Float64(),
        "ask": pl.Float64(),
        "volume_mwh": pl.Float64(),
        "open_interest": pl.Float64(),
        "known_at": UTC_US,
    }
)
"""Quotes in force of shared products, in any order. A null settle is a listed product without a price."""

QUOTED_PERIODS = pl.Schema({"curve_id": pl.Int32(), "delivery_start": pl.Date(), "delivery_end": pl.Date()})
"""The distinct delivery periods that each shared product quotes on any trade date, ascending."""

DELIVERY_PERIOD = pl.Schema(
    {
        "curve_id": pl.Int32(),
        "delivery_start": pl.Date(),
        "delivery_end": pl.Date(),
        "label": pl.String(),
        "kind": pl.String(),
        "starts_at": UTC_US,
        "ends_at": UTC_US,
        "days": pl.Int32(),
        "hours": pl.Float64(),
        "weight": pl.Float64(),
        "rest_label": pl.String(),
        "rest_after": pl.Date(),
    }
)
"""Delivery periods by product, as ``core.curves`` counts and names them: those that are quoted, and those that quotes make up.

``hours``: of the block of the product. ``weight``: in a strip; null where the sessions that it counts are unknown.
``rest_label``: BOM or BOY, the label on the trade date ``rest_after`` alone; null where there is none.
"""

STRIP_PART = pl.Schema(
    {
        "curve_id": pl.Int32(),
        "strip_start": pl.Date(),
        "strip_end": pl.Date(),
        "tiling": pl.Int16(),
        "part_start": pl.Date(),
        "part_end": pl.Date(),
    }
)
"""The quoted periods inside each quarter, half, season and year of a product.

``tiling``: 1 or 2. Of two parts of one tiling, one contains the other, or they share no day.
"""


class Bulk(StrEnum):
    """Tables that have many rows for each series."""

    OBSERVATION = "observation"
    OBSERVATION_VERSION = "observation_version"
    COMPLETENESS = "completeness"

    @property
    def schema(self) -> pl.Schema:
        return {"observation": OBSERVATION, "observation_version": OBSERVATION_VERSION, "completeness": COMPLETENESS}[
            self.value
        ]


class StoreSnapshot(Protocol):
    """One snapshot of the store: all answers come from the same moment."""

    async def series(self) -> pl.DataFrame:
        """Return all series, schema ``SERIES_TABLE``, ascending by id."""
        ...

    async def datasets(self) -> pl.DataFrame:
        """Return all datasets, schema ``DATASETS``."""
        ...

    async def files(self) -> pl.DataFrame:
        """Return all file records, schema ``FILES``, ascending by id."""
        ...

    async def archived(self) -> int:
        """Return the number of archived parts, which a reader of the tables alone cannot see."""
        ...

    async def rows(self, table: Bulk, series_ids: Collection[int] | None, sink: Callable[[pl.DataFrame], None]) -> None:
        """Pass the table's rows of some series (None: of all) to ``sink``, in batches of bounded size, in any order.

        Archived months are included. Raises ``Unavailable`` when months are archived and no history store is configured.
        """
        ...

    async def products(self) -> pl.DataFrame:
        """Return all shared products, schema ``PRODUCTS``, ascending by id."""
        ...

    async def quoted_periods(self) -> pl.DataFrame:
        """Return the delivery periods of all shared quotes in force, schema ``QUOTED_PERIODS``."""
        ...

    async def quotes(self, curve_ids: Collection[int], sink: Callable[[pl.DataFrame], None]) -> None:
        """Pass the quotes in force of some shared products to ``sink``, schema ``QUOTES_IN_FORCE``, in batches."""
        ...

    async def references(self, kind: ReferenceKind) -> Sequence[Mapping[str, object]]:
        """Return the stored reference documents of a kind that belong to all."""
        ...


class StoreExport(Protocol):
    """Source of snapshots of a store. Raises ``Unavailable`` when the store does not answer."""

    def snapshot(self) -> AbstractAsyncContextManager[StoreSnapshot]: ...


class CalendarTables(Protocol):
    """Tables of the calendars, stored beside the observations for engines that read the store's tables."""

    async def put(self, days: pl.DataFrame, hours: pl.DataFrame) -> None:
        """Replace the contents of the tables, schemas ``MARKET_DAY`` and ``BLOCK_HOUR``; only rows that differ are written."""
        ...

    async def put_deliveries(self, periods: pl.DataFrame, parts: pl.DataFrame) -> None:
        """Replace the contents of the tables, schemas ``DELIVERY_PERIOD`` and ``STRIP_PART``; only changed rows are written."""
        ...

    async def make_schemas(self, names: Collection[str]) -> None:
        """Create the schemas of those names that are missing, owned by the role that builds models."""
        ...


class CopyWriter(Protocol):
    """One change of a copy, applied whole or not at all."""

    def known(self) -> pl.DataFrame:
        """Return ``series_id``, ``key`` and ``version`` of the series in the copy."""
        ...

    def replace(self, table: str, rows: pl.DataFrame) -> None:
        """Replace all rows of a table."""
        ...

    def forget(self, series_ids: Collection[int] | None) -> None:
        """Delete the rows of some series (None: of all) from the ``Bulk`` tables."""
        ...

    def append(self, table: Bulk, rows: pl.DataFrame) -> None: ...

    def known_products(self) -> pl.DataFrame:
        """Return ``curve_id``, ``key`` and ``version`` of the products in the copy."""
        ...

    def forget_quotes(self, curve_ids: Collection[int]) -> None:
        """Delete the quotes of some products."""
        ...

    def append_quotes(self, rows: pl.DataFrame) -> None:
        """Add quotes, schema ``QUOTES_IN_FORCE``."""
        ...


class StoreCopy(Protocol):
    """Copy of the store's tables in a file of another engine."""

    def writing(self) -> AbstractContextManager[CopyWriter]:
        """Change the copy: the whole change takes effect when the block ends without an error.

        Raises ``Unavailable`` while another process uses the file.
        """
        ...
