"""``timedb``: FastAPI on PostgreSQL with valid, knowledge and change times, the most similar product on the package index.

Version 0.1.4 is the last one on PostgreSQL. It is installed into a temporary environment, serves its own API from there, and
stores the values of the series of Aurum in its own tables on the same server. Its schema needs TimescaleDB, but the tables
work on plain PostgreSQL as well. There all its chunks are one table, which favours it on so few rows.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urlencode

import asyncpg
import polars as pl

from aurum.core.asof import Span
from aurum.storage.embedded import EmbeddedPostgres
from bench.figures import asof
from bench.figures.slices import rate
from bench.harness import Figure, side_by_side
from bench.scale import Scale
from bench.servers import Server, serving, uvicorn
from bench.stage import DAY, HOUR, START, YEAR, Stage, as_query, span

_REQUIREMENT = "timedb==0.1.4"
_DATABASE = "timedb"
_PATIENCE_S = 300
_SCHEMA = """
import pathlib, sys, psycopg, timedb
text = (pathlib.Path(timedb.__file__).parent / "sql" / "pg_create_table_timescaledb.sql").read_text()
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    connection.execute(text.replace("CREATE EXTENSION IF NOT EXISTS timescaledb;", ""))
"""
_SERIES = """
INSERT INTO series_table (name, unit, overlapping) VALUES ('plain', 'USD/MWh', false), ('versioned', 'USD/MWh', true);
INSERT INTO batches_table DEFAULT VALUES
"""
_PLAIN, _VERSIONED = 1, 2
"""Ids of the two series, the first ones of the table."""


async def measure(
    server: EmbeddedPostgres, stage: Stage, api: Server, scale: Scale, key: str
) -> tuple[list[Figure], list[str]]:
    """Measure slices. ``key``: an hourly series with a year of values. If timedb cannot be installed, there is only a note."""
    with tempfile.TemporaryDirectory(prefix="aurum-bench-peer-") as folder:
        try:
            python = _installed(Path(folder))
        except subprocess.SubprocessError as error:
            return [], [f"{_REQUIREMENT} could not be installed: {error}"]
        url = await _filled(server, stage, python, key)
        # It also reads .env files of the folder it starts in; environment variables take precedence.
        command = uvicorn("timedb.api:app", python=python)
        with serving(command, "/series", TIMEDB_DSN=url) as peer:
            return await _figures(api.url, peer.url, scale, key), []


async def _figures(api: str, peer: str, scale: Scale, key: str) -> list[Figure]:
    then = START + DAY * 4 + HOUR
    known = f"{then:%Y-%m-%dT%H:%M:%SZ}"
    rows: Sequence[tuple[str, str, int, int, str, str]] = (
        ("24 rows", key, _PLAIN, 24, "", ""),
        ("8,760 rows, JSON columns", key, _PLAIN, YEAR, "&layout=columns", ""),
        ("24 rows as of, ten versions", asof.KEY, _VERSIONED, 24, f"&as_of={known}", f"&end_known={known}"),
    )
    return [
        await side_by_side(
            f"slice beside a peer: {name}",
            rate(f"{api}/v2/series/{quote(own)}/observations?{as_query(span(hours))}{ours}", scale),
            rate(f"{peer}/values?series_id={number}&{_valid(span(hours))}{theirs}", scale),
            unit="req/s",
            against=_REQUIREMENT,
            rounds=scale.rounds,
        )
        for name, own, number, hours, ours, theirs in rows
    ]


def _valid(requested: Span) -> str:
    assert requested.start is not None
    assert requested.end is not None
    return urlencode({"start_valid": requested.start.isoformat(), "end_valid": requested.end.isoformat()})


def _installed(folder: Path) -> str:
    """Create an environment with timedb, and return its interpreter. Raises ``SubprocessError``."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=_PATIENCE_S, capture_output=True)
    python = str(folder / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", _REQUIREMENT]
    subprocess.run(install, check=True, timeout=_PATIENCE_S, capture_output=True)
    return python


async def _filled(server: EmbeddedPostgres, stage: Stage, python: str, key: str) -> str:
    """Create the database of timedb with the values of the series, and return its URL."""
    control = await asyncpg.connect(server.url_of("postgres"))
    await control.execute(f"CREATE DATABASE {_DATABASE}")
    await control.close()
    url = server.url_of(_DATABASE)
    _create_tables(python, url)
    connection = await asyncpg.connect(url)
    await connection.execute(_SERIES)
    await _plain(connection, await _observations(stage, key))
    await _versioned(connection, await _revisions(stage))
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    return url


def _create_tables(python: str, url: str) -> None:
    """Create the tables of timedb with its own driver. Raises ``SubprocessError``."""
    subprocess.run([python, "-c", _SCHEMA, url], check=True, timeout=_PATIENCE_S, capture_output=True)


async def _plain(connection: asyncpg.Connection, frame: pl.DataFrame) -> None:
    records = [(_PLAIN, ts, value) for ts, value in frame.select("ts", "value").iter_rows()]
    await connection.copy_records_to_table("flat", records=records, columns=["series_id", "valid_time", "value"])


async def _versioned(connection: asyncpg.Connection, frame: pl.DataFrame) -> None:
    records: list[tuple[int, int, datetime, float, datetime]] = [
        (1, _VERSIONED, ts, value, known_at) for ts, value, known_at in frame.select("ts", "value", "known_at").iter_rows()
    ]
    columns = ["batch_id", "series_id", "valid_time", "value", "knowledge_time"]
    await connection.copy_records_to_table("overlapping_medium", records=records, columns=columns)


async def _observations(stage: Stage, key: str) -> pl.DataFrame:
    series = (await stage.store.catalog.series_by_key([key]))[key]
    return await stage.store.reader.observations(series.series_id, span=span(YEAR))


async def _revisions(stage: Stage) -> pl.DataFrame:
    series = (await stage.store.catalog.series_by_key([asof.KEY]))[asof.KEY]
    return await stage.store.reader.revisions(series.series_id, span=Span())
