"""The migration gives stored series the dimensions that their next file would give them, and a later file agrees."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from aurum.core.catalog.dimensions import FUEL_LABEL, Kind
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import Dataset, Measure
from aurum.storage.migrations.head import VERSIONS
from aurum.storage.migrations.run import upgrade
from aurum.storage.testing.migrating import earlier_release

pytestmark = pytest.mark.needs_postgres

ADDED, FILLED = (
    next(VERSIONS.glob(f"[0-9]*_{name}.py")).name.split("_")[0]
    for name in ("dimensions_of_series", "dimensions_of_stored_series")
)
"""The revisions that add the columns and that fill them. Later ones are not run: their tables are there already."""

_INSERT = """
    INSERT INTO series (key, source, dataset, location, measure, unit, currency, frequency, zone, location_name, location_type,
                        labels, version)
    VALUES (concat_ws(':', $1::text, $2::text, $3::text, $4::text), $1, $2, $3, $4, $5, $6, '1h', 'UTC', '', '', $7, 3)
"""
_OWN_KINDS = ("api_", "navigator_", "observations")
"""Beginnings of the names of datasets whose series have kinds of their own."""
_LATER = frozenset({("eex", "day_ahead_auction")})
"""Datasets that came after the migration: their series have always had dimensions."""
_BY_UNIT = [
    ("fred", "observations", "DEXUSEU", "value", "USD/EUR", "USD", "fx"),
    ("fred", "observations", "DHHNGSP", "value", "USD/MMBtu", "USD", "fuel_price"),
    ("fred", "observations", "UNRATE", "value", "percent", None, "macro"),
    ("eia", "navigator_daily", "RWTC", "price", "USD/bbl", "USD", "fuel_price"),
    ("eia", "api_weekly", "NW2_EPG0_SWO_R48_BCF", "value", "Bcf", None, "storage_level"),
    ("eia", "api_monthly", "US-RES", "price", "USc/kWh", "USD", "price"),
    ("eia", "api_monthly", "US-RES", "sales", "GWh", None, "macro"),
]


@pytest_asyncio.fixture(loop_scope="session")
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connected = await asyncpg.connect(database_url)
    yield connected
    await connected.close()


def _declared() -> list[tuple[Dataset, Measure]]:
    datasets = [dataset for source in default_registry().sources for dataset in source.datasets]
    return [(dataset, measure) for dataset in datasets for measure in dataset.measures]


async def _before_dimensions(connection: asyncpg.Connection) -> None:
    await connection.execute("UPDATE alembic_version SET version_num = $1", f"{int(ADDED) - 1:04d}")
    await connection.execute("""ALTER TABLE series DROP COLUMN kind, DROP COLUMN market_run, DROP COLUMN fuel,
                                DROP COLUMN fuel_detail""")


async def _dimensions(connection: asyncpg.Connection) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    rows = await connection.fetch("SELECT * FROM series")
    return {
        (row["source"], row["dataset"], row["measure"], row["location"]): (
            row["kind"],
            row["market_run"],
            row["fuel"],
            row["fuel_detail"],
            json.loads(row["labels"]),
        )
        for row in rows
    }


async def test_every_declared_measure_gets_its_dimensions(
    database_url: str, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await _before_dimensions(connection)
    declared = [
        (dataset, measure)
        for dataset, measure in _declared()
        if not dataset.name.startswith(_OWN_KINDS) and (dataset.source, dataset.name) not in _LATER
    ]
    rows = [(d.source, d.name, "A", m.name, m.unit, m.currency, json.dumps({"old": "label"})) for d, m in declared]
    await connection.executemany(_INSERT, rows)
    await connection.execute("UPDATE series SET version = 0 WHERE source = 'spp'")
    await upgrade(database_url, versions=earlier_release(tmp_path, FILLED))
    stored = await _dimensions(connection)
    for dataset, measure in declared:
        expected = dataset.dimensions(measure.name)
        labels = {"old": "label"} | ({FUEL_LABEL: expected.word} if expected.word else {})
        assert stored[dataset.source, dataset.name, measure.name, "A"] == (
            expected.kind,
            expected.market_run,
            expected.fuel,
            expected.fuel_detail,
            labels,
        ), f"{dataset.source}:{dataset.name}:{measure.name}"
    versions = dict(await connection.fetch("SELECT source, max(version) FROM series WHERE kind <> 'other' GROUP BY source"))
    assert versions.pop("spp") == 0, "a series without observations has no response to renew"
    assert set(versions.values()) == {4}


async def test_series_of_many_quantities_get_the_kind_of_their_unit(
    database_url: str, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await _before_dimensions(connection)
    await connection.executemany(_INSERT, [(*row[:6], "{}") for row in _BY_UNIT])
    await connection.execute(_INSERT, "invented", "numbers", "A", "value", "MW", None, "{}")
    await upgrade(database_url, versions=earlier_release(tmp_path, FILLED))
    kinds = {
        tuple(row)[:4]: row["kind"]
        for row in await connection.fetch("SELECT source, dataset, location, measure, kind FROM series")
    }
    assert kinds.pop(("invented", "numbers", "A", "value")) == Kind.OTHER
    assert kinds == {row[:4]: row[6] for row in _BY_UNIT}


async def test_a_second_run_changes_nothing_and_keeps_what_files_said(
    database_url: str, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await connection.execute(_INSERT, "nyiso", "rtfuelmix", "NYISO", "generation_wind", "MW", None, "{}")
    await connection.execute("UPDATE series SET kind = 'generation', fuel = 'unmapped'")
    await connection.execute(_INSERT, "nyiso", "rtfuelmix", "NYISO", "generation_hydro", "MW", None, "{}")
    for _ in range(2):
        await connection.execute("UPDATE alembic_version SET version_num = $1", ADDED)
        await upgrade(database_url, versions=earlier_release(tmp_path, FILLED))
        rows = await connection.fetch("SELECT measure, kind, market_run, fuel, version FROM series ORDER BY measure")
        assert [tuple(row) for row in rows] == [
            ("generation_hydro", "generation", "real_time", "hydro", 4),
            ("generation_wind", "generation", None, "unmapped", 3),
        ]
