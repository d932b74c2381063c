"""Sparklines of a page of series: the newest values of each, by one read."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from aurum.core.errors import InvalidParameters
from aurum.services.observations.sparklines import MOST_SERIES, POINTS, series_sparklines
from aurum.storage.ports.catalog import SeriesFilter
from aurum.storage.testing.builders import file_load, hour, together
from aurum.storage.testing.stores import Store

CROWD = SeriesFilter(source="invented", dataset="crowd")


class CountedReader:
    """A ``NeighbourReader`` that counts its reads."""

    def __init__(self, store: Store) -> None:
        self._inner = store.neighbours
        self.calls = 0

    async def neighbours(self, spans: pl.DataFrame, **more: Any) -> pl.DataFrame:
        self.calls += 1
        return await self._inner.neighbours(spans, **more)


async def test_the_newest_values_of_all_series_come_by_one_read(store: Store) -> None:
    long = file_load([(at, 1, float(at)) for at in range(POINTS + 10)], key="invented:crowd:A:price")
    short = file_load([(0, 1, 7.0), (900, 1, -8.0)], key="invented:crowd:B:price", frequency="1d")
    await store.loader.load(together(long, short))
    series = await store.catalog.series_page(CROWD, after=None, limit=10)
    reader = CountedReader(store)
    lines = await series_sparklines(reader, series)
    first, second = (lines[one.series_id] for one in series)
    assert first.points == tuple(float(at) for at in range(10, POINTS + 10))
    assert (first.first, first.last) == (hour(10), hour(POINTS + 9))
    assert (second.points, second.first, second.last) == ((7.0, -8.0), hour(0), hour(900))
    assert reader.calls == 1
    assert await series_sparklines(reader, []) == {}


async def test_a_page_with_sparklines_has_a_largest_number_of_series(store: Store) -> None:
    many = [file_load([(0, 1, 1.0)], key=f"invented:crowd:P{number:03d}:price") for number in range(MOST_SERIES + 1)]
    await store.loader.load(together(*many))
    series = await store.catalog.series_page(CROWD, after=None, limit=MOST_SERIES + 1)
    assert len(await series_sparklines(store.neighbours, series[:MOST_SERIES])) == MOST_SERIES
    with pytest.raises(InvalidParameters, match="limit"):
        await series_sparklines(store.neighbours, series)
