"""Stored points beside the span of a file: the last ones before it, or the first ones after it."""

from __future__ import annotations

import random
from datetime import datetime

import polars as pl
import pytest

from aurum.common.clock import SystemClock
from aurum.core.frames import FILE_SPANS, NEIGHBOURS
from aurum.storage.memory import MemoryStore
from aurum.storage.testing.builders import KEY, file_load, hour, together
from aurum.storage.testing.stores import Store

OTHER, THIRD = "invented:numbers:B:value", "invented:numbers:C:value"


def spans(*rows: tuple[str, float, float], frequency: str = "1h") -> pl.DataFrame:
    """Return spans by key and hours of their first and last interval."""
    numbered = [(place, key, frequency, hour(first), hour(last)) for place, (key, first, last) in enumerate(rows)]
    return pl.DataFrame(numbered, schema=FILE_SPANS, orient="row")


async def read(store: Store, wanted: pl.DataFrame, count: int = 3) -> list[tuple[int, datetime, float]]:
    frame = await store.neighbours.neighbours(wanted, count=count)
    assert frame.schema == NEIGHBOURS
    return frame.rows()


async def test_the_last_points_before_the_span_are_returned(store: Store) -> None:
    files = [file_load([(at, 1, at + add) for at in range(9)], key=key) for key, add in ((KEY, 0.0), (OTHER, 100.0))]
    await store.loader.load(together(*files))
    assert await read(store, spans((OTHER, 5, 6), (KEY, 9, 12))) == [
        *((0, hour(at), at + 100.0) for at in (2, 3, 4)),
        *((1, hour(at), float(at)) for at in (6, 7, 8)),
    ]


async def test_a_gap_and_points_that_are_far_away_do_not_matter(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.0), (1, 1, 2.0), (700, 1, 3.0), (1_500, 1, 4.0)]))
    assert await read(store, spans((KEY, 3_000, 3_001))) == [(0, hour(1), 2.0), (0, hour(700), 3.0), (0, hour(1_500), 4.0)]


async def test_without_points_before_the_span_those_after_it_are_returned(store: Store) -> None:
    await store.loader.load(file_load([(at, 1, float(at)) for at in (10, 11, 500, 900)]))
    assert await read(store, spans((KEY, 0, 9))) == [(0, hour(10), 10.0), (0, hour(11), 11.0), (0, hour(500), 500.0)]
    assert await read(store, spans((KEY, 0, 10)), count=1) == [(0, hour(11), 11.0)]


async def test_series_of_different_steps_and_bounds_have_their_own_neighbours(store: Store) -> None:
    hourly = file_load([(at, 1, float(at)) for at in range(2_000)])
    daily = file_load([(24 * at, 1, float(at)) for at in range(80) if at not in (60, 61, 62)], key=OTHER, frequency="1d")
    await store.loader.load(together(hourly, daily))
    both = pl.concat(
        [spans((KEY, 1_990, 1_999)), spans((OTHER, 24 * 64, 24 * 79), frequency="1d").with_columns(series=pl.lit(1, pl.UInt32))]
    )
    values = [(series, value) for series, _, value in await read(store, both)]
    assert values == [(0, 1_987.0), (0, 1_988.0), (0, 1_989.0), (1, 58.0), (1, 59.0), (1, 63.0)]


async def test_the_current_value_is_returned(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.0), (0, 2, 5.0)]))
    assert await read(store, spans((KEY, 1, 2))) == [(0, hour(0), 5.0)]


@pytest.mark.parametrize("key", [KEY, THIRD])
async def test_a_series_within_its_span_and_an_unknown_one_have_no_neighbours(store: Store, key: str) -> None:
    await store.loader.load(file_load([(3, 1, 1.0), (4, 1, 1.0)]))
    assert await read(store, spans((key, 3, 4))) == []
    assert await read(store, spans()) == []


async def test_points_within_the_span_stand_in_for_those_outside(store: Store) -> None:
    beside = file_load([(at, 1, float(at)) for at in range(20)], key=OTHER)
    await store.loader.load(together(file_load([(at, 1, float(at)) for at in (3, 4, 5, 6)]), beside))

    async def values(wanted: pl.DataFrame, within: int) -> list[tuple[int, float]]:
        frame = await store.neighbours.neighbours(wanted, count=3, within=within)
        return frame.select("series", "value").rows()

    both = spans((KEY, 0, 9), (OTHER, 10, 15), (THIRD, 0, 9))
    assert await values(both, 0) == [(1, 7.0), (1, 8.0), (1, 9.0)]
    assert await values(both, 2) == [(0, 5.0), (0, 6.0), (1, 7.0), (1, 8.0), (1, 9.0)]
    assert await values(spans((KEY, 4, 5)), 9) == [(0, 3.0), (0, 4.0), (0, 5.0)]
    assert await values(spans((KEY, 2, 5)), 9) == [(0, 3.0), (0, 4.0), (0, 5.0), (0, 6.0)]
    assert await values(spans((KEY, 7, 9)), 9) == [(0, 4.0), (0, 5.0), (0, 6.0)]


@pytest.mark.parametrize("frequency", ["1h", "1d", "1w", "1mo", "1q", "1y", "irregular"])
async def test_every_step_has_its_neighbours(store: Store, frequency: str) -> None:
    step = {"1h": 1, "1d": 24, "1w": 168, "1mo": 744, "1q": 2_208, "1y": 8_784, "irregular": 5}[frequency]
    points = [(step * place, 1, float(place)) for place in range(10)]
    await store.loader.load(file_load(points, frequency=frequency))
    wanted = spans((KEY, step * 10, step * 11), frequency=frequency)
    assert [value for _, _, value in await read(store, wanted, count=4)] == [6.0, 7.0, 8.0, 9.0]


async def test_many_series_with_holes_and_spans_of_their_own_are_as_the_model_has_them(store: Store) -> None:
    draw = random.Random(5)
    model = MemoryStore(SystemClock())
    keys = [f"invented:numbers:N{number}:value" for number in range(12)]
    files = [file_load([(at, 1, draw.random()) for at in draw.sample(range(2_500), 25)], key=key) for key in keys]
    file = together(*files)
    await store.loader.load(file)
    await model.loader.load(file)
    for _ in range(5):
        bounds = [draw.choice([0, 500, 1_200, 1_300, 2_600, draw.randrange(2_500)]) for _ in keys]
        wanted = spans(*((key, first, first + 30) for key, first in zip(keys, bounds, strict=True)))
        assert await read(store, wanted, count=10) == await read(model, wanted, count=10)
