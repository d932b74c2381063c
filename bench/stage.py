"""What the figures are measured on: an embedded PostgreSQL with invented series, and servers beside it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import numpy as np
import polars as pl

from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings
from aurum.storage.embedded import EmbeddedPostgres
from aurum.storage.migrations.run import upgrade
from aurum.storage.postgres import PostgresPool
from aurum.storage.postgres.copy import Layout
from aurum.storage.testing.stores import PostgresStore

START = datetime(2025, 1, 1, tzinfo=UTC)
YEAR = 8_760
KEY = "invented:hourly:{}:lmp"
VERSIONED = "invented:versioned:0:lmp"
BULK = "invented:bulk:0:lmp"
OBSERVATION = Layout(series_id="int4", ts="timestamptz", value="float8", quality="int2", known_at="timestamptz")
VERSION = Layout(
    series_id="int4", ts="timestamptz", value="float8", quality="int2", known_at="timestamptz", superseded_at="timestamptz"
)


@dataclass(frozen=True, slots=True)
class Stage:
    """The store, its URL, and where its server keeps its files."""

    store: PostgresStore
    url: str
    server: EmbeddedPostgres


async def make_stage(server: EmbeddedPostgres) -> Stage:
    """A fresh, migrated database called ``bench``."""
    connection = await asyncpg.connect(server.url_of("postgres"))
    await connection.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
    await connection.execute("CREATE DATABASE bench")
    await connection.close()
    url = server.url_of("bench")
    await upgrade(url)
    pool = await PostgresPool.open(DatabaseSettings(url=url, load_timeout_s=3600, statement_timeout_s=600))
    return Stage(PostgresStore(pool, SystemClock()), url, server)


def prices(count: int, seed: int) -> np.ndarray:
    """Plausible prices: a daily shape, noise, a few spikes; two decimals."""
    random = np.random.default_rng(seed)
    shape = 35 + 15 * np.sin(np.arange(count) * 2 * np.pi / 24)
    spikes = (random.random(count) < 0.004) * random.exponential(300, count)
    return np.round(shape + random.normal(0, 6, count) + spikes, 2)


async def add_series(stage: Stage, key: str, frequency: str = "1h") -> int:
    """A series without observations; gives its id."""
    source, dataset, location, measure = key.split(":")
    async with stage.store.pool.acquire() as connection:
        return await connection.fetchval(
            """INSERT INTO series (key, source, dataset, location, measure, market, unit, currency, frequency, zone,
                                   location_name, location_type, labels, version)
               VALUES ($1, $2, $3, $4, $5, 'NYISO', 'USD/MWh', 'USD', $6, 'America/New_York', '', '', '{}', 1)
               RETURNING series_id""",
            key,
            source,
            dataset,
            location,
            measure,
            frequency,
        )


def rows(
    series_id: int, count: int, *, seed: int, step: timedelta = timedelta(hours=1), known: datetime = START
) -> pl.DataFrame:
    """Observations of one series, ascending."""
    ts = pl.datetime_range(START, START + step * (count - 1), step, time_unit="us", time_zone="UTC", eager=True)
    return pl.DataFrame(
        {
            "series_id": pl.repeat(series_id, count, dtype=pl.Int32, eager=True),
            "ts": ts,
            "value": prices(count, seed),
            "quality": pl.repeat(0, count, dtype=pl.Int16, eager=True),
            "known_at": pl.repeat(known, count, dtype=pl.Datetime("us", "UTC"), eager=True),
        }
    )


async def copy_in(stage: Stage, frame: pl.DataFrame, table: str = "observation", layout: Layout = OBSERVATION) -> None:
    """Plain binary COPY: the limit of writing."""
    async with stage.store.pool.acquire() as connection:
        await connection.copy_to_table(table, source=layout.source(frame), columns=list(layout.columns), format="binary")


async def fill_hourly(stage: Stage, series: int, *, first: int = 0) -> None:
    """``series`` years of hourly prices, straight into the table."""
    for number in range(first, first + series):
        series_id = await add_series(stage, KEY.format(number))
        await copy_in(stage, rows(series_id, YEAR, seed=number))
    await analyze(stage)


async def fill_versioned(stage: Stage, count: int = 24 * 31, versions: int = 10) -> None:
    """A month of a series with ten versions a point, known a day apart."""
    series_id = await add_series(stage, VERSIONED)
    day = timedelta(days=1)
    for version in range(versions - 1):
        frame = rows(series_id, count, seed=version, known=START + day * version)
        await copy_in(
            stage,
            frame.with_columns(pl.lit(START + day * (version + 1), dtype=pl.Datetime("us", "UTC")).alias("superseded_at")),
            "observation_version",
            VERSION,
        )
    await copy_in(stage, rows(series_id, count, seed=99, known=START + day * (versions - 1)))
    await analyze(stage)


async def fill_bulk(stage: Stage, count: int) -> int:
    """One long five-minute series; gives its id."""
    series_id = await add_series(stage, BULK, "5min")
    step = timedelta(minutes=5)
    await copy_in(stage, rows(series_id, count, seed=5, step=step))
    await analyze(stage)
    return series_id


async def analyze(stage: Stage) -> None:
    async with stage.store.pool.acquire() as connection:
        # What a load would have noted: the service tells a slice from a history by it.
        await connection.execute(
            """UPDATE series AS s SET first_ts = o.first, last_ts = o.last
               FROM (SELECT series_id, min(ts) AS first, max(ts) AS last FROM observation GROUP BY series_id) AS o
               WHERE o.series_id = s.series_id AND s.first_ts IS NULL"""
        )
        await connection.execute("VACUUM ANALYZE observation")
        await connection.execute("VACUUM ANALYZE observation_version")


@contextmanager
def serving(arguments: list[str], ready: str, **variables: str) -> Generator[tuple[str, subprocess.Popen[bytes]]]:
    """A server process on a free loopback port (``{port}`` in the arguments), ended with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", *(argument.replace("{port}", str(port)) for argument in arguments)]
    process = subprocess.Popen(command, env={**os.environ, **variables}, stderr=subprocess.DEVNULL)  # noqa: TID251
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url + ready)
        yield url, process
    finally:
        process.terminate()
        process.wait(30)


def wait_for(url: str, *, within_s: float = 30) -> float:
    """Seconds until a URL answers."""
    started = time.perf_counter()
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                answer.read()
                return time.perf_counter() - started
        except OSError:
            if time.perf_counter() - started > within_s:
                raise
            time.sleep(0.01)


def api_arguments() -> list[str]:
    return ["aurum.api", "serve", "--host", "127.0.0.1", "--port", "{port}"]


def stock_arguments(app: str, *, factory: bool) -> list[str]:
    extra = ["--factory"] if factory else []
    return [
        "uvicorn",
        app,
        *extra,
        "--port",
        "{port}",
        "--loop",
        "uvloop",
        "--http",
        "httptools",
        "--log-level",
        "error",
        "--no-access-log",
    ]


def resident_mib(process: subprocess.Popen[bytes]) -> float:
    """Resident memory of a process, MiB."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
