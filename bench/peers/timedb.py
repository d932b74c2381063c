"""``timedb``: FastAPI on PostgreSQL with valid, knowledge and change times. The nearest product of its kind on the index.

Version 0.1.4 is the last that stands on PostgreSQL. It is installed into a throw-away environment, serves its own API from
there, and holds the values of our series in tables of its own in the same server. Its schema asks for TimescaleDB; the
tables alone work on plain PostgreSQL, where all its chunks are one: that favours it on so little data.
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
"""Their ids: the first two of the table."""


async def measure(
    server: EmbeddedPostgres, stage: Stage, api: Server, scale: Scale, key: str
) -> tuple[list[Figure], list[str]]:
    """``key``: of an hourly series with a year of values. Without the index there are no figures, but a note."""
    with tempfile.TemporaryDirectory(prefix="aurum-bench-peer-") as folder:
        try:
            python = _installed(Path(folder))
        except subprocess.SubprocessError as error:
            return [], [f"{_REQUIREMENT} could not be installed: {error}"]
        url = await _filled(server, stage, python, key)
        # It reads its settings from .env files of the folder it starts in as well; the environment wins.
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


def _valid(wanted: Span) -> str:
    assert wanted.start is not None
    assert wanted.end is not None
    return urlencode({"start_valid": wanted.start.isoformat(), "end_valid": wanted.end.isoformat()})


def _installed(folder: Path) -> str:
    """The interpreter of a new environment with the peer. Raises ``SubprocessError``."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=_PATIENCE_S, capture_output=True)
    python = str(folder / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", _REQUIREMENT]
    subprocess.run(install, check=True, timeout=_PATIENCE_S, capture_output=True)
    return python


async def _filled(server: EmbeddedPostgres, stage: Stage, python: str, key: str) -> str:
    """Its database with our values; gives the URL."""
    control = await asyncpg.connect(server.url_of("postgres"))
    await control.execute(f"CREATE DATABASE {_DATABASE}")
    await control.close()
    url = server.url_of(_DATABASE)
    _prepared(python, url)
    connection = await asyncpg.connect(url)
    await connection.execute(_SERIES)
    await _plain(connection, await _observations(stage, key))
    await _versioned(connection, await _revisions(stage))
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    return url


def _prepared(python: str, url: str) -> None:
    """Make its tables, with its own driver. Raises ``SubprocessError``."""
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
