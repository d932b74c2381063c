"""Partials of hours in every adapter: they equal the sums of the rows after any load."""

import itertools
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aurum.core.asof import Span
from aurum.core.series.partials import PARTIALS, partials
from aurum.storage.testing.builders import KEY, Point, file_load, hour, together
from aurum.storage.testing.stores import Store, series_named

A, B = (f"invented:partials:{name}:value" for name in "AB")
numbers = itertools.count()

values = st.sampled_from([0.0, 1.0, -2.5, 1000.0, math.nan, math.inf, 1.5e300])
points: st.SearchStrategy[Point] = st.tuples(
    st.integers(0, 12).map(lambda twenty: twenty / 3), st.integers(0, 4), values, st.sampled_from([0, 1, 2, 9])
)


async def ids_of(store: Store, *keys: str) -> list[int]:
    stored = await store.catalog.series_by_key(keys)
    return [stored[key].series_id for key in keys]


@settings(max_examples=settings().max_examples * 2 // 5)
@given(files=st.lists(st.lists(points, min_size=1, max_size=8), min_size=1, max_size=3))
async def test_after_every_load_hours_are_what_the_rows_come_to(shared_store: Store, files: list[list[Point]]) -> None:
    key = f"invented:partials:example_{next(numbers)}:value"
    for number, file in enumerate(files):
        await shared_store.loader.load(file_load(file, key=key, digest=f"{key} {number}", frequency="irregular"))
        series = await series_named(shared_store, key)
        rows = await shared_store.reader.many([series.series_id], span=Span())
        frame = await shared_store.partials.partials([series.series_id], span=Span())
        assert_frame_equal(frame, partials(rows), rel_tol=1e-12)


async def test_hours_of_several_series_ascend_by_series_and_time(store: Store) -> None:
    files = [file_load([(1.5, 0, 4.0), (0, 0, 1.0), (0.25, 0, 2.0)], key=key, frequency="15min") for key in (A, B)]
    await store.loader.load(together(*files))
    first, second = sorted(await ids_of(store, A, B))
    frame = await store.partials.partials([second, first, second, 999_999], span=Span())
    assert frame.schema == PARTIALS
    assert frame.select("series_id", "ts", "sum", "count").rows() == [
        (series_id, hour(at), total, count) for series_id in (first, second) for at, total, count in [(0, 3.0, 2), (1, 4.0, 1)]
    ]


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (hour(1), hour(3), [1, 2]),
        (hour(0.5), hour(1.5), [1]),
        (hour(0.25), hour(0.75), []),
        (None, hour(2), [0, 1]),
        (hour(2), None, [2, 3]),
        (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC), [0, 1, 2, 3]),
    ],
)
async def test_a_span_has_the_hours_that_start_in_it_each_whole(
    store: Store, start: datetime | None, end: datetime | None, hours: list[int]
) -> None:
    await store.loader.load(file_load([(half / 2, 0, 1.0) for half in range(8)], frequency="30min"))
    series = await series_named(store, KEY)
    frame = await store.partials.partials([series.series_id], span=Span(start, end))
    assert frame["ts"].to_list() == [hour(at) for at in hours]
    assert frame["count"].to_list() == [2] * len(hours)


async def test_unknown_series_have_no_hours(store: Store) -> None:
    for ids in ([], [999_999]):
        buckets = await store.partials.partials(ids, span=Span())
        assert (buckets.schema, buckets.height) == (PARTIALS, 0)
