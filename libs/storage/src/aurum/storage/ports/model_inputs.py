"""What a warehouse takes from the store: its tables as they stood at one moment, and the calendars days are counted by."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from enum import StrEnum
from typing import Protocol

import polars as pl

from aurum.core.frames import UTC_US

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
    }
)
"""One row a series, as its table has it; ``labels`` is a JSON object of strings."""

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
"""Local days: where they begin and end. ``weekday``: ISO, Monday is 1."""

BLOCK_HOUR = pl.Schema(
    {
        "calendar": pl.String(),
        "block": pl.String(),
        "ts": UTC_US,
        "market_day": pl.Date(),
        "hour_ending": pl.Int16(),
    }
)
"""Hours of blocks, as ``core.calendars.block_hours`` gives them: ``market_day`` and label are of the block's clock."""


class Bulk(StrEnum):
    """Tables of many rows a series."""

    OBSERVATION = "observation"
    OBSERVATION_VERSION = "observation_version"
    COMPLETENESS = "completeness"

    @property
    def schema(self) -> pl.Schema:
        return {"observation": OBSERVATION, "observation_version": OBSERVATION_VERSION, "completeness": COMPLETENESS}[
            self.value
        ]


class StoreSnapshot(Protocol):
    """The store at one moment: every answer is of the same one."""

    async def series(self) -> pl.DataFrame:
        """Schema ``SERIES_TABLE``, by id."""
        ...

    async def datasets(self) -> pl.DataFrame:
        """Schema ``DATASETS``."""
        ...

    async def files(self) -> pl.DataFrame:
        """Schema ``FILES``, by id."""
        ...

    async def archived(self) -> int:
        """How many parts stand in history, out of reach of who reads the store's tables alone."""
        ...

    async def rows(self, table: Bulk, series_ids: Collection[int] | None, sink: Callable[[pl.DataFrame], None]) -> None:
        """Give the table's rows of some series (None: of all) to ``sink``, in batches of bounded size, in any order.

        Archived months are among them. Raises ``Unavailable`` where there are some and no history to read them from.
        """
        ...


class StoreExport(Protocol):
    """Takes snapshots of a store. Raises ``Unavailable`` when it does not answer."""

    def snapshot(self) -> AbstractAsyncContextManager[StoreSnapshot]: ...


class CalendarTables(Protocol):
    """The calendars, kept beside the observations for engines that read the store's tables."""

    async def put(self, days: pl.DataFrame, hours: pl.DataFrame) -> None:
        """Make the tables hold these, schemas ``MARKET_DAY`` and ``BLOCK_HOUR``, and nothing else; writes what differs."""
        ...

    async def make_schemas(self, names: Collection[str]) -> None:
        """Have schemas of those names that belong to the role that models are written with."""
        ...


class CopyWriter(Protocol):
    """One change of a copy: all of it or nothing."""

    def known(self) -> pl.DataFrame:
        """``series_id``, ``key``, ``version`` of the series that the copy holds."""
        ...

    def replace(self, table: str, rows: pl.DataFrame) -> None:
        """Put rows in the place of a whole table."""
        ...

    def forget(self, series_ids: Collection[int] | None) -> None:
        """Drop the bulk rows of some series (None: of all)."""
        ...

    def append(self, table: Bulk, rows: pl.DataFrame) -> None: ...


class StoreCopy(Protocol):
    """The store's tables in a file of another engine."""

    def writing(self) -> AbstractContextManager[CopyWriter]:
        """Change the copy; it is there whole once the block ends well. Raises ``Unavailable`` while another process has it."""
        ...
