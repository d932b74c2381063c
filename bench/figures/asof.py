"""The cost of point-in-time reads: a slice as of an instant, with ten stored versions a point, against the current slice."""

from __future__ import annotations

from urllib.parse import quote

import polars as pl

from bench.figures.slices import rate, values_of
from bench.harness import Figure, side_by_side
from bench.scale import Scale
from bench.servers import Server
from bench.stage import DAY, HOUR, START, VERSION, Stage, add_series, as_query, copy_in, observations, settle, span

KEY = "invented:versioned:0:lmp"
_VERSIONS = 10
_HOURS = 24 * 31


async def measure(api: Server, scale: Scale) -> list[Figure]:
    """Measure the series that ``fill`` made, as of its fifth version. Its versions are a day apart."""
    current = f"{api.url}/v2/series/{quote(KEY)}/observations?{as_query(span(24))}"
    then = f"{current}&as_of={START + DAY * 4 + HOUR:%Y-%m-%dT%H:%M:%SZ}"
    _check_difference(then, current)
    return [
        await side_by_side(
            "as_of: 24 rows with ten versions a point",
            rate(then, scale),
            rate(current, scale),
            unit="req/s",
            against="the current slice",
            rounds=scale.rounds,
            target=0.6,
            stretch=0.9,
        )
    ]


def _check_difference(then: str, current: str) -> None:
    """Check that the past slice has as many values as the present one, and other values."""
    past, present = (values_of(url) for url in (then, current))
    assert len(past) == len(present) == 24
    assert past != present


async def fill(stage: Stage) -> int:
    """Write a month of one series in ten versions without the loader. Return its id."""
    (series_id,) = await add_series(stage, [KEY])
    for version in range(_VERSIONS - 1):
        known = START + DAY * version
        frame = observations(series_id, _HOURS, seed=version, known=known)
        ended = frame.with_columns(pl.lit(known + DAY, pl.Datetime("us", "UTC")).alias("superseded_at"))
        await copy_in(stage, ended, table="observation_version", layout=VERSION)
    await copy_in(stage, observations(series_id, _HOURS, seed=_VERSIONS, known=START + DAY * (_VERSIONS - 1)))
    await settle(stage)
    return series_id
