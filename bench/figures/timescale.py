"""Savings and costs of TimescaleDB, on the server that ``AURUM_BENCH_TIMESCALE_URL`` names."""

from __future__ import annotations

import itertools
import os
import random
import statistics
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import polars as pl

from aurum.common.settings import environment
from aurum.core.asof import Span
from aurum.core.frequency import Frequency
from aurum.core.series.partials import compose
from aurum.core.series.resample import Aggregation, resample
from aurum.storage.testing.builders import file_load
from aurum.storage.timescale import TimescalePartialsReader, TimescaleTuning
from bench.distribution import price_day
from bench.harness import Figure, Run, side_by_side, timed
from bench.new_days import NewDays
from bench.scale import Scale
from bench.stage import DAY, HOUR, START, Draw, Stage, add_series, copy_in, observations, open_stage, settle

SETTING = "AURUM_BENCH_TIMESCALE_URL"
_STEP = timedelta(minutes=5)
_CHUNK = timedelta(days=28)
_PER_YEAR = 105_120
_LONG_AGO = datetime(2100, 1, 1, tzinfo=UTC)
_ZONE = "America/New_York"
_SLICES = 200
_BACKFILL = 20_000
_SERIES = 10
_numbers = itertools.count()


async def measure(scale: Scale, shared: Path) -> tuple[list[Figure], list[str]]:
    """Measure on three temporary databases of the named server. Without a server there is only a note.

    ``shared``: a folder with real files, which may be absent.
    """
    server = environment({}).get(SETTING)
    if server is None:
        return [], [f"timescale: not measured, because {SETTING} is not set to the URL of a server with TimescaleDB"]
    async with _stage(server, "rows") as rows, _stage(server, "columns") as columns, _stage(server, "long") as long:
        draw = partial(price_day(shared, scale).draw, per_hour=HOUR // _STEP)
        few = [await _fill(stage, scale.short, draw) for stage in (rows, columns)]
        many = await _fill(long, scale.long, draw)
        saved = await _compress(columns)
        await _compress(long)
        stored, against = (f"{len(ids) * _PER_YEAR / 1e6:.3g}M" for ids in (many, few[1]))
        # New days lie one chunk after the compressed ones, where chunks are not compressed yet.
        new = NewDays(8, min(_SERIES, len(few[1])), 366 + _CHUNK // DAY, draw, "5min", _STEP)
        return [
            saved,
            await _compared("slice of a day, compressed", _slices(columns, few[1]), _slices(rows, few[0]), "ms", scale),
            await _compared("year of one series, compressed", _years(columns, few[1]), _years(rows, few[0]), "ms", scale),
            await side_by_side(
                "year of daily means of five-minute data, by the hour",
                _means(columns, few[1]),
                _means_of_rows(columns, few[1]),
                unit="ms",
                against="the rows, compressed",
                rounds=scale.rounds,
                less_is_better=True,
            ),
            await side_by_side(
                f"slice of a day with {stored} compressed rows stored",
                _slices(long, many),
                _slices(columns, few[1]),
                unit="ms",
                against=f"{against} rows stored",
                rounds=scale.rounds,
                less_is_better=True,
            ),
            # The last ones, because they change the tables and leave hourly sums outdated.
            await side_by_side(
                f"load of {new.days} new days of {new.series} series with {stored} compressed rows stored",
                new.into(long, _keys(len(many))),
                new.into(columns, _keys(len(few[1]))),
                unit="rows/s",
                against=f"{against} rows stored",
                rounds=scale.rounds,
            ),
            await _compared("backfill into compressed chunks", _backfill(columns), _backfill(rows), "rows/s", scale),
            await _compared(
                "late correction of a compressed point", _correct(columns, few[1]), _correct(rows, few[0]), "ms", scale
            ),
        ], []


async def _compared(name: str, ours: Run, reference: Run, unit: str, scale: Scale) -> Figure:
    return await side_by_side(
        name, ours, reference, unit=unit, against="rows not compressed", rounds=scale.rounds, less_is_better=unit == "ms"
    )


@asynccontextmanager
async def _stage(server: str, name: str) -> AsyncGenerator[Stage]:
    database = f"aurum_bench_{os.getpid()}_{name}"
    await _run(server, f"CREATE DATABASE {database}")
    stage = await open_stage(urlunsplit(urlsplit(server)._replace(path=f"/{database}")))
    try:
        tuning = TimescaleTuning(stage.store.pool)
        await tuning.optimize()
        # Compression and refreshes run explicitly, so no background job of the server may interfere.
        async with stage.store.pool.acquire() as connection:
            await connection.execute("SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs")
        await tuning.set_interval(_CHUNK)
        yield stage
    finally:
        await stage.close()
        await _run(server, f"DROP DATABASE {database} WITH (FORCE)")


async def _run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def _fill(stage: Stage, count: int, draw: Draw) -> list[int]:
    """Write at least ``count`` five-minute observations in series of one year, and refresh their hourly sums."""
    ids = await add_series(stage, _keys(-(-count // _PER_YEAR)), frequency="5min")
    for series_id in ids:
        await copy_in(stage, observations(series_id, _PER_YEAR, seed=series_id, step=_STEP, draw=draw))
    await settle(stage)
    await TimescaleTuning(stage.store.pool).refresh()
    stage.store.partials = await TimescalePartialsReader.open(stage.store.pool)
    return ids


def _keys(count: int) -> Sequence[str]:
    return [_key(number) for number in range(count)]


def _key(number: int) -> str:
    return f"invented:columns:{number}:lmp"


async def _compress(stage: Stage) -> Figure:
    tuning = TimescaleTuning(stage.store.pool)
    before = sum(chunk.bytes for chunk in await tuning.chunks())
    await tuning.compress(_LONG_AGO)
    await settle(stage)
    after = sum(chunk.bytes for chunk in await tuning.chunks())
    size = 1024**2
    return Figure("compression of five-minute prices", after / size, before / size, "MiB", "rows and index", before / after)


def _slices(stage: Stage, ids: Sequence[int]) -> Run:
    """Return a measurement of reads of random days of random series, so that caches of recent reads do not help."""
    draw = random.Random(len(ids))

    async def run() -> float:
        times: list[float] = []
        for _ in itertools.repeat(None, _SLICES):
            start = START + timedelta(days=draw.randrange(360))
            day = Span(start, start + timedelta(days=1))
            watch = timed()
            rows = await stage.store.reader.observations(draw.choice(ids), span=day)
            times.append(watch() * 1000)
            assert rows.height == 288
        return statistics.median(times)

    return run


def _years(stage: Stage, ids: Sequence[int]) -> Run:
    chosen = itertools.cycle(ids)

    async def run() -> float:
        watch = timed()
        rows = await stage.store.reader.observations(next(chosen), span=Span())
        took = watch() * 1000
        assert rows.height >= _PER_YEAR
        return took

    return run


def _backfill(stage: Stage) -> Run:
    """Return a measurement of loads of a new series: 70 days, all in existing chunks."""

    async def run() -> float:
        key = f"invented:backfill:{next(_numbers)}:lmp"
        file = file_load([(n / 12, 0, float(n % 97)) for n in range(_BACKFILL)], key=key, frequency="5min")
        watch = timed()
        outcome = await stage.store.loader.load(file)
        assert outcome.new == _BACKFILL
        return _BACKFILL / watch()

    return run


def _correct(stage: Stage, ids: Sequence[int]) -> Run:
    """Return a measurement of loads of one point, half a year old, of a stored series."""

    async def run() -> float:
        number = next(_numbers)
        file = file_load(
            [(4000 + number / 12, 1, -1.5)],
            key=_key(number % len(ids)),
            frequency="5min",
            unit="USD/MWh",
            currency="USD",
            market="NYISO",
            zone=_ZONE,
        )
        watch = timed()
        outcome = await stage.store.loader.load(file)
        took = watch() * 1000
        assert outcome.revised == 1
        return took

    return run


def _means(stage: Stage, ids: Sequence[int]) -> Run:
    chosen = itertools.cycle(ids)

    async def run() -> float:
        watch = timed()
        hours = await stage.store.partials.partials([next(chosen)], span=Span())
        days = compose(hours, series_frequency=Frequency.MIN_5, freq=Frequency.DAY, agg=Aggregation.MEAN, zone=_ZONE)
        took = watch() * 1000
        assert days.height == 366  # a year in UTC touches 366 days of New York
        return took

    return run


def _means_of_rows(stage: Stage, ids: Sequence[int]) -> Run:
    chosen = itertools.cycle(ids)

    async def run() -> float:
        watch = timed()
        rows = await stage.store.reader.observations(next(chosen), span=Span())
        days: pl.DataFrame = resample(
            rows, series_frequency=Frequency.MIN_5, freq=Frequency.DAY, agg=Aggregation.MEAN, zone=_ZONE
        )
        took = watch() * 1000
        assert days.height == 366
        return took

    return run
