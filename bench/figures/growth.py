"""Whether a slice costs more when the table is longer."""

from __future__ import annotations

import statistics
from datetime import timedelta

from aurum.core.asof import Span
from bench.harness import Figure, timed
from bench.stage import KEY, START, YEAR, Stage, fill_hourly


async def measure(stage: Stage, *, small: int, large: int) -> list[Figure]:
    """``small`` series are there; the table is grown to ``large``."""
    before = await _latency(stage, small)
    await fill_hourly(stage, large - small, first=small)
    after = await _latency(stage, large)
    name = f"slice of 24 rows: {large * YEAR / 1e6:.0f}M rows stored against {small * YEAR / 1e6:.1f}M"
    return [Figure(name, after * 1000, before * 1000, "ms", "the short table", before / after, 1 / 1.3, 1.0)]


async def _latency(stage: Stage, series: int) -> float:
    async with stage.store.pool.acquire() as connection:
        ids = [row[0] for row in await connection.fetch("SELECT series_id FROM series WHERE key LIKE $1", KEY.format("%"))]
    times: list[float] = []
    for number in range(600):
        series_id = ids[(number * 7919) % min(series, len(ids))]
        start = START + timedelta(days=(number * 31) % 360)
        watch = timed()
        await stage.store.reader.observations(series_id, span=Span(start, start + timedelta(days=1)))
        times.append(watch())
    return statistics.median(times[100:])
