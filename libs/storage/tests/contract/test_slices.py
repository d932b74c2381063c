"""Slices of observations in every adapter."""

from datetime import UTC, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from aurum.core.asof import Span
from aurum.core.frames import MANY_OBSERVATIONS, OBSERVATIONS, REVISIONS
from aurum.storage.testing.builders import KEY, day, file_load, hour, together
from aurum.storage.testing.expected import expected_observations
from aurum.storage.testing.stores import Store, series_named

A, B, C = (f"invented:numbers:{name}:value" for name in "ABC")


async def ids_of(store: Store, *keys: str) -> list[int]:
    stored = await store.catalog.series_by_key(keys)
    return [stored[key].series_id for key in keys]


async def test_a_slice_has_its_schema_and_ascends_by_ts(store: Store) -> None:
    points = [(3, 0, 4.0), (1, 0, 2.0), (0, 0, 1.0, 3), (2, 0, 3.0)]
    await store.loader.load(file_load(points))
    series = await series_named(store, KEY)
    frame = await store.reader.observations(series.series_id, span=Span())
    assert frame.schema == OBSERVATIONS
    assert_frame_equal(frame, expected_observations(points))


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (hour(1), hour(3), [1, 2]),
        (hour(1), None, [1, 2, 3]),
        (None, hour(1), [0]),
        (hour(1), hour(1), []),
        (hour(0.5), hour(1.5), [1]),
        (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC), [0, 1, 2, 3]),
        (hour(4), None, []),
    ],
)
async def test_spans_are_half_open(store: Store, start: datetime | None, end: datetime | None, hours: list[int]) -> None:
    await store.loader.load(file_load([(offset, 0, float(offset)) for offset in range(4)]))
    series = await series_named(store, KEY)
    span = Span(start, end)
    expected = [hour(offset) for offset in hours]
    assert (await store.reader.observations(series.series_id, span=span))["ts"].to_list() == expected
    assert (await store.reader.observations(series.series_id, span=span, as_of=day(1)))["ts"].to_list() == expected
    assert (await store.reader.revisions(series.series_id, span=span))["ts"].to_list() == expected
    assert (await store.reader.many([series.series_id], span=span))["ts"].to_list() == expected


async def test_many_ascend_by_series_and_ts_in_any_order_of_the_request(store: Store) -> None:
    files = [file_load([(1, 0, n + 0.1), (0, 0, n + 0.0)], key=key) for n, key in enumerate([A, B, C])]
    await store.loader.load(together(*files))
    ids = await ids_of(store, A, B, C)
    frame = await store.reader.many([ids[2], ids[0], ids[2], 999_999], span=Span())
    assert frame.schema == MANY_OBSERVATIONS
    expected = sorted((series_id, hour(h)) for series_id in (ids[0], ids[2]) for h in (0, 1))
    assert list(zip(frame["series_id"], frame["ts"], strict=True)) == expected
    for series_id in (ids[0], ids[2]):
        one = await store.reader.observations(series_id, span=Span())
        assert_frame_equal(frame.filter(pl.col("series_id") == series_id).drop("series_id"), one)


async def test_unknown_series_have_no_observations(store: Store) -> None:
    one = await store.reader.observations(999_999, span=Span())
    many = await store.reader.many([999_999], span=Span(), as_of=day(0))
    revisions = await store.reader.revisions(999_999, span=Span())
    assert (one.schema, one.height) == (OBSERVATIONS, 0)
    assert (many.schema, many.height) == (MANY_OBSERVATIONS, 0)
    assert (revisions.schema, revisions.height) == (REVISIONS, 0)


async def test_no_requested_series_gives_no_observations(store: Store) -> None:
    frame = await store.reader.many([], span=Span())
    assert (frame.schema, frame.height) == (MANY_OBSERVATIONS, 0)
    assert [batch async for batch in store.reader.stream([], span=Span())] == []


async def test_infinities_and_the_greatest_numbers_come_back_as_they_were(store: Store) -> None:
    values = [float("inf"), float("-inf"), 1.7976931348623157e308, 5e-324, 0.1 + 0.2]
    await store.loader.load(file_load([(offset, 0, value) for offset, value in enumerate(values)]))
    series = await series_named(store, KEY)
    assert (await store.reader.observations(series.series_id, span=Span()))["value"].to_list() == values


async def test_instants_keep_their_microseconds(store: Store) -> None:
    microsecond = 1 / 3_600_000_000
    await store.loader.load(file_load([(microsecond, 0, 1.0), (-3 * microsecond, 0, 2.0)], frequency="irregular"))
    series = await series_named(store, KEY)
    frame = await store.reader.observations(series.series_id, span=Span())
    assert frame["ts"].dt.epoch("us").to_list() == [hour(0).timestamp() * 1e6 - 3, hour(0).timestamp() * 1e6 + 1]
