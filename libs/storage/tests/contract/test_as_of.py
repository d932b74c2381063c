"""Answers as of an instant, and all versions of points."""

import math
from datetime import timedelta

import pytest
from polars.testing import assert_frame_equal

from aurum.core.asof import Span
from aurum.core.catalog.entries import KnownAtBasis
from aurum.storage.ports.files import FileFilter
from aurum.storage.testing.builders import KEY, Point, day, file_load, hour
from aurum.storage.testing.expected import expected_observations, expected_revisions
from aurum.storage.testing.stores import Store, series_named

NAN = math.nan


async def load_batches(store: Store, *batches: list[Point]) -> int:
    """Load each batch as a separate file, and return the id of the series."""
    for batch in batches:
        await store.loader.load(file_load(batch))
    return (await series_named(store, KEY)).series_id


async def value_at(store: Store, series_id: int, as_of_day: float) -> float | None:
    frame = await store.reader.observations(series_id, span=Span(), as_of=day(as_of_day))
    assert_frame_equal(frame, (await store.reader.many([series_id], span=Span(), as_of=day(as_of_day))).drop("series_id"))
    return frame["value"].item() if frame.height else None


async def changes(store: Store, series_id: int) -> list[tuple[float, float]]:
    frame = await store.reader.revisions(series_id, span=Span())
    return [
        ((known - day(0)) / timedelta(days=1), value) for known, value in zip(frame["known_at"], frame["value"], strict=True)
    ]


async def test_the_cut_off_is_inclusive(store: Store) -> None:
    series_id = await load_batches(store, [(0, 1, 10.0)], [(0, 2, 20.0)])
    microsecond = timedelta(microseconds=1) / timedelta(days=1)
    instants = [1 - microsecond, 1, 2 - microsecond, 2, 3]
    assert [await value_at(store, series_id, at) for at in instants] == [None, 10.0, 10.0, 20.0, 20.0]


async def test_a_late_publication_takes_its_place_between_equal_ones(store: Store) -> None:
    series_id = await load_batches(store, [(0, 1, 1.0)], [(0, 3, 1.0)], [(0, 2, 2.0)])
    assert [await value_at(store, series_id, at) for at in (1, 2, 3, 4)] == [1.0, 2.0, 1.0, 1.0]
    assert await changes(store, series_id) == [(1, 1.0), (2, 2.0), (3, 1.0)]


async def test_a_late_publication_that_repeats_the_value_in_force_adds_nothing(store: Store) -> None:
    series_id = await load_batches(store, [(0, 1, 1.0)], [(0, 3, 2.0)], [(0, 2, 1.0)])
    assert await changes(store, series_id) == [(1, 1.0), (3, 2.0)]


async def test_an_earlier_publication_of_the_value_in_force_moves_its_known_time_back(store: Store) -> None:
    series_id = await load_batches(store, [(0, 3, 1.0)], [(0, 1, 1.0)])
    assert await changes(store, series_id) == [(1, 1.0)]
    assert await value_at(store, series_id, 1) == 1.0


async def test_a_value_confirmed_often_stands_since_its_first_publication(store: Store) -> None:
    series_id = await load_batches(store, *([(0, at, 1.0)] for at in (1, 2, 3, 4)))
    assert await changes(store, series_id) == [(1, 1.0)]


@pytest.mark.parametrize(
    ("values", "greatest"), [((1.0, 2.0), 2.0), ((2.0, 1.0), 2.0), ((-math.inf, -1.0), -1.0), ((math.inf, -1.0), math.inf)]
)
async def test_of_two_values_at_one_known_time_the_greater_stands(store: Store, values, greatest: float) -> None:
    series_id = await load_batches(store, *([(0, 1, value)] for value in values))
    assert await changes(store, series_id) == [(1, greatest)]


@pytest.mark.parametrize("values", [(NAN, math.inf), (math.inf, NAN)])
@pytest.mark.parametrize("in_one_file", [True, False])
async def test_of_two_values_at_one_known_time_nan_is_the_greatest(store: Store, values, in_one_file: bool) -> None:
    points: list[Point] = [(0, 1, value) for value in values]
    series_id = await load_batches(store, *([points] if in_one_file else [[point] for point in points]))
    frame = await store.reader.revisions(series_id, span=Span())
    assert frame.height == 1
    assert math.isnan(frame["value"][0])


@pytest.mark.parametrize("qualities", [(0, 3), (3, 0)])
async def test_of_two_equal_values_at_one_known_time_the_greater_quality_stands(store: Store, qualities) -> None:
    series_id = await load_batches(store, *([(0, 1, 5.0, quality)] for quality in qualities))
    frame = await store.reader.revisions(series_id, span=Span())
    assert frame["quality"].to_list() == [3]


async def test_a_change_of_quality_alone_is_a_revision(store: Store) -> None:
    series_id = await load_batches(store, [(0, 1, 5.0, 1)], [(0, 2, 5.0, 0)])
    frame = await store.reader.revisions(series_id, span=Span())
    assert frame["quality"].to_list() == [1, 0]


async def test_nan_repeats_nan(store: Store) -> None:
    series_id = await load_batches(store, [(0, 1, NAN)], [(0, 2, NAN)])
    assert (await store.reader.revisions(series_id, span=Span())).height == 1


async def test_a_withdrawn_value_is_nan_and_may_come_back(store: Store) -> None:
    series_id = await load_batches(store, [(0, 1, 7.0)], [(0, 2, NAN, 9)], [(0, 3, 7.0)])
    first, withdrawn, again = [await value_at(store, series_id, at) for at in (1, 2, 3)]
    assert (first, again) == (7.0, 7.0)
    assert withdrawn is not None
    assert math.isnan(withdrawn)


@pytest.mark.parametrize("values", [(0.0, -0.0), (-0.0, 0.0), (-0.0, -0.0)])
@pytest.mark.parametrize("in_one_file", [True, False])
async def test_minus_zero_is_zero(store: Store, values: tuple[float, float], in_one_file: bool) -> None:
    points: list[Point] = [(0, at, value) for at, value in enumerate(values)]
    series_id = await load_batches(store, *([points] if in_one_file else [[point] for point in points]))
    frame = await store.reader.revisions(series_id, span=Span())
    assert [math.copysign(1, value) for value in frame["value"]] == [1.0]


async def test_several_known_times_of_one_point_may_stand_in_one_file(store: Store) -> None:
    points: list[Point] = [(0, 3, 1.0), (0, 1, 1.0), (1, 1, 9.0), (0, 2, 2.0), (0, 2, 1.5), (0, 3, 1.0)]
    series_id = await load_batches(store, points)
    assert_frame_equal(await store.reader.revisions(series_id, span=Span()), expected_revisions(points))
    for at in range(5):
        frame = await store.reader.observations(series_id, span=Span(), as_of=day(at))
        assert_frame_equal(frame, expected_observations(points, day(at)))


async def test_versions_in_one_file_keep_their_order_and_the_current_one_has_the_known_time(store: Store) -> None:
    points: list[Point] = [(0, 1, 1.0, 0, -2), (0, 1, 3.0, 0, 0), (0, 1, 2.0, 0, -1)]
    series_id = await load_batches(store, points)
    frame = await store.reader.revisions(series_id, span=Span())
    assert frame["value"].to_list() == [1.0, 2.0, 3.0]
    assert frame["known_at"].to_list() == [day(1) + timedelta(microseconds=version) for version in (-2, -1, 0)]
    assert await value_at(store, series_id, 1) == 3.0


async def test_the_known_time_of_the_file_is_that_of_rows_without_one(store: Store) -> None:
    await store.loader.load(file_load([(0, None, 1.0), (1, 2, 2.0)], known_at=day(5)))
    series = await series_named(store, KEY)
    frame = await store.reader.observations(series.series_id, span=Span())
    assert frame["known_at"].to_list() == [day(5), day(2)]


async def test_a_load_is_known_from_the_moment_of_loading_when_nothing_says_otherwise(store: Store) -> None:
    await store.loader.load(file_load([(0, None, 1.0)], basis=KnownAtBasis.INGESTED))
    series = await series_named(store, KEY)
    known_at = (await store.reader.observations(series.series_id, span=Span()))["known_at"].item()
    at = await store.reader.observations(series.series_id, span=Span(), as_of=known_at)
    before = await store.reader.observations(series.series_id, span=Span(), as_of=known_at - timedelta(microseconds=1))
    assert (at.height, before.height) == (1, 0)
    assert (await store.files.files_page(FileFilter(), before=None, limit=1))[0].known_at == known_at


async def test_as_of_a_time_far_off_is_now(store: Store) -> None:
    series_id = await load_batches(store, [(0, 1, 10.0), (1, 1, 11.0)], [(0, 2, 20.0)])
    now = await store.reader.observations(series_id, span=Span())
    assert_frame_equal(await store.reader.observations(series_id, span=Span(), as_of=day(36_500)), now)
    assert now["value"].to_list() == [20.0, 11.0]


async def test_points_do_not_touch_their_neighbours(store: Store) -> None:
    series_id = await load_batches(store, [(0, 1, 1.0), (1, 1, 2.0)], [(1, 2, 3.0)], [(0, 0, 0.5)])
    frame = await store.reader.revisions(series_id, span=Span(hour(0), hour(1)))
    assert frame["value"].to_list() == [0.5, 1.0]
    assert await changes(store, series_id) == [(0, 0.5), (1, 1.0), (1, 2.0), (2, 3.0)]
