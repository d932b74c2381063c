"""Marts as frames, from every database that can hold them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from aurum.core.frames import UTC_US
from aurum.storage.duckdb.mart_reader import DuckDbMartReader
from aurum.storage.memory.models import MemoryMartReader
from aurum.storage.ports.models import MartReader, UnknownMart
from aurum.storage.postgres.models.marts import PostgresMartReader
from aurum.storage.testing.stores import PostgresStore

COLUMNS = """
series_id integer, hours double precision, share numeric(20, 4), big bigint, day date, starts_at timestamp with time zone,
good boolean, name varchar, "odd ""name" varchar
"""
ROWS = """
(1, 25.5, 0.25, 9007199254740993, '2025-11-02', '2025-11-02T05:00:00.000001Z', true, 'a,"b"', 'x'),
(2, 'NaN', 1.0, -1, '1900-01-01', '1899-12-31T23:59:59.999999Z', false, '', 'y'),
(3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
"""
EXPECTED = pl.DataFrame(
    {
        "series_id": [1, 2, 3],
        "hours": [25.5, None, None],
        "share": [0.25, 1.0, None],
        "big": [9007199254740993, -1, None],
        "day": [date(2025, 11, 2), date(1900, 1, 1), None],
        "starts_at": pl.Series(
            [datetime(2025, 11, 2, 5, 0, 0, 1, UTC), datetime(1899, 12, 31, 23, 59, 59, 999999, UTC), None], dtype=UTC_US
        ),
        "good": [True, False, None],
        "name": ['a,"b"', "", None],
        'odd "name': ["x", "y", None],
    }
)

Build = Callable[[], Awaitable[MartReader]]


@pytest.fixture
def memory_marts() -> Build:
    async def build() -> MartReader:
        return MemoryMartReader({"fct_prices": EXPECTED})

    return build


@pytest.fixture
def duckdb_marts(tmp_path: Path) -> Build:
    async def build() -> MartReader:
        path = tmp_path / "aurum.duckdb"
        with duckdb.connect(path) as connection:
            connection.execute(f"CREATE SCHEMA marts; CREATE TABLE marts.made ({COLUMNS})")
            connection.execute(f"INSERT INTO marts.made VALUES {ROWS}")
            connection.execute("CREATE VIEW marts.fct_prices AS SELECT * FROM marts.made")
        return DuckDbMartReader(path, "marts")

    return build


@pytest.fixture
def postgres_marts(postgres_store: PostgresStore) -> Build:
    async def build() -> MartReader:
        async with postgres_store.pool.acquire() as connection:
            await connection.execute(f"CREATE SCHEMA marts; CREATE TABLE marts.made ({COLUMNS})")
            await connection.execute(f"INSERT INTO marts.made VALUES {ROWS}")
            await connection.execute("CREATE VIEW marts.fct_prices AS SELECT * FROM marts.made")
        return PostgresMartReader(postgres_store.pool, "marts")

    return build


@pytest.fixture(params=["memory", "duckdb", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def build(request: pytest.FixtureRequest) -> Build:
    return request.getfixturevalue(f"{request.param}_marts")


async def test_a_mart_is_a_frame_of_the_requested_columns(build: Build) -> None:
    marts = await build()
    frame = await marts.frame("fct_prices", columns=["starts_at", "hours", "no such column"])
    assert set(frame.columns) == {"starts_at", "hours"}
    assert (
        frame.select("hours", "starts_at")
        .sort("starts_at", nulls_last=True)
        .equals(EXPECTED.select("hours", "starts_at").sort("starts_at", nulls_last=True))
    )


async def test_values_come_as_they_are_and_no_number_is_null(build: Build) -> None:
    marts = await build()
    frame = (await marts.frame("fct_prices", columns=EXPECTED.columns)).sort("series_id").select(EXPECTED.columns)
    for name in EXPECTED.columns:
        column = frame[name]
        if EXPECTED.schema[name] == pl.Int64:
            assert column.dtype.is_integer(), name
        else:
            assert column.dtype == EXPECTED.schema[name], name
        assert column.to_list() == EXPECTED[name].to_list(), name


async def test_a_missing_mart_is_unknown(build: Build) -> None:
    marts = await build()
    with pytest.raises(UnknownMart, match="fct_none"):
        await marts.frame("fct_none", columns=["hours"])


async def test_a_hostile_name_is_only_a_name(build: Build) -> None:
    marts = await build()
    for name in ('x"; DROP SCHEMA marts CASCADE; --', "x' OR '1' = '1"):
        with pytest.raises(UnknownMart):
            await marts.frame(name, columns=["hours"])
    assert (await marts.frame("fct_prices", columns=["hours"])).height == 3


async def test_a_warehouse_that_was_never_built_has_no_marts(tmp_path: Path) -> None:
    with pytest.raises(UnknownMart, match="does not exist"):
        await DuckDbMartReader(tmp_path / "none.duckdb", "marts").frame("fct_prices", columns=[])
