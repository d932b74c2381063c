"""The cost of a slice and of a load in a long table, against a short one."""

from __future__ import annotations

import itertools
import random
import statistics
from collections.abc import Sequence
from pathlib import Path

from bench.distribution import price_day
from bench.harness import Figure, Run, side_by_side, timed
from bench.new_days import NewDays
from bench.scale import Scale
from bench.stage import DAY, START, YEAR, Stage, add_hourly, span

_PREFIX = "invented:growth"
_SLICES = 300
_SERIES = 100


async def measure(short: Stage, long: Stage, scale: Scale, shared: Path) -> list[Figure]:
    """Fill two databases on one server, then read from them and load into them in turns, through the ports.

    ``shared``: a folder with real files, which may be absent.
    """
    day = price_day(shared, scale)
    few = await add_hourly(short, _PREFIX, scale.short, day.draw)
    many = await add_hourly(long, _PREFIX, scale.long, day.draw)
    stored, against = (f"{len(ids) * YEAR / 1e6:.3g}M rows stored" for ids in (many, few))
    new = NewDays(days=10, series=min(_SERIES, len(few)), first=YEAR // 24, draw=day.draw)
    return [
        await side_by_side(
            f"slice of 24 rows with {stored}",
            _latency(long, many),
            _latency(short, few),
            unit="ms",
            against=against,
            rounds=scale.rounds,
            target=1 / 1.3,
            stretch=0.95,
            less_is_better=True,
        ),
        # The last one, because it changes the tables.
        await side_by_side(
            f"load of {new.days} new days of {new.series} series with {stored}",
            new.into(long, _keys(len(many))),
            new.into(short, _keys(len(few))),
            unit="rows/s",
            against=against,
            rounds=scale.rounds,
        ),
    ]


def _latency(stage: Stage, ids: Sequence[int]) -> Run:
    """Return a measurement of reads of random days of random series, so that caches of recent reads do not help."""
    draw = random.Random(len(ids))

    async def run() -> float:
        times: list[float] = []
        for _ in itertools.repeat(None, _SLICES):
            series_id, start = draw.choice(ids), START + DAY * draw.randrange(360)
            watch = timed()
            await stage.store.reader.observations(series_id, span=span(24, start))
            times.append(watch() * 1000)
        return statistics.median(times)

    return run


def _keys(count: int) -> Sequence[str]:
    return [f"{_PREFIX}:{number}:lmp" for number in range(count)]
