"""Measures of one place side by side: a row an instant, null where a measure is missing or withdrawn."""

from __future__ import annotations

from math import nan

from aurum.services.observations import Question, Reading, read_side_by_side, series_of
from aurum.storage.testing.builders import day, file_load, hour
from aurum.storage.testing.stores import Store

A, B = "invented:prices:A:lmp", "invented:prices:B:lmp"
ENERGY, LOSS = "invented:prices:A:energy", "invented:prices:A:loss"


async def filled(store: Store) -> Reading:
    await store.loader.load(file_load([(0, 0, 30.0), (1, 0, 31.0)], key=A))
    await store.loader.load(file_load([(0, 0, 40.0)], key=B))
    await store.loader.load(file_load([(0, 2, 28.0), (1, 1, nan)], key=ENERGY))
    await store.loader.load(file_load([(2, 0, 0.5)], key=LOSS))
    return Reading(store.catalog, store.reader, store.partials)


async def test_measures_stand_side_by_side_by_series_and_instant(store: Store) -> None:
    reading = await filled(store)
    series = [await series_of(reading.catalog, key) for key in (A, B)]
    beside = {"energy": "energy", "loss": "loss", "congestion": "jam"}
    frame = await read_side_by_side(reading, series, Question(), main="total", beside=beside)
    assert frame.columns == ["key", "ts", "known_at", "total", "energy", "loss", "jam"]
    assert frame.rows() == [
        (A, hour(0), day(2), 30.0, 28.0, None, None),
        (A, hour(1), day(1), 31.0, None, None, None),
        (A, hour(2), day(0), None, None, 0.5, None),
        (B, hour(0), day(0), 40.0, None, None, None),
    ]


async def test_without_observations_in_the_span_the_columns_stay(store: Store) -> None:
    reading = await filled(store)
    series = [await series_of(reading.catalog, A)]
    question = Question(start="2024-01-01", end="2024-01-02")
    frame = await read_side_by_side(reading, series, question, main="total", beside={"energy": "energy"})
    assert (frame.height, frame.columns) == (0, ["key", "ts", "known_at", "total", "energy"])
