"""Series whose values jump by a power of ten are loaded as suspect."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from aurum.common.clock import SystemClock
from aurum.core.asof import Span
from aurum.core.catalog.quality import Quality
from aurum.pipelines.quality.unit_jump import LEAST_POINTS, MOST_NAMED, mark_unit_jumps
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.files import FileLoad, LoadOutcome
from aurum.storage.testing.builders import KEY, T0, file_load, together
from aurum.storage.testing.stores import series_named

OTHER, THIRD = "invented:numbers:B:value", "invented:numbers:C:value"


def hours(first: int, values: list[float], *, key: str = KEY, known: float = 1) -> FileLoad:
    """Return a file of a value each hour from ``first`` hours after the origin."""
    return file_load([(first + place, known, value) for place, value in enumerate(values)], key=key)


async def stored(*files: FileLoad) -> MemoryStore:
    store = MemoryStore(SystemClock())
    for file in files:
        await store.loader.load(file)
    return store


async def load(store: MemoryStore, file: FileLoad, *, force: bool = False) -> tuple[FileLoad, LoadOutcome]:
    marked = await mark_unit_jumps(file, store.neighbours)
    return marked, await store.loader.load(marked, force=force)


def qualities(file: FileLoad) -> set[int]:
    return set(file.parts[0].rows["quality"].to_list())


async def is_suspect(before: list[float], after: list[float]) -> bool:
    store = await stored(hours(0, before))
    marked = await mark_unit_jumps(hours(len(before), after), store.neighbours)
    assert qualities(marked) == ({int(Quality.SUSPECT)} if marked.record.suspect_series else {int(Quality.GOOD)})
    return marked.record.suspect_series == 1


@pytest.mark.parametrize("factor", [10.0, 100.0, 1000.0, 0.1, 0.01, 0.001])
async def test_a_jump_by_a_power_of_ten_is_suspect_and_named(factor: float) -> None:
    store = await stored(hours(0, [30.0, 32.0, 34.0] * 10))
    marked, outcome = await load(store, hours(30, [32.0 * factor] * 24))
    (jump,) = marked.record.unit_jumps
    assert (jump.key, jump.factor, jump.stored) == (KEY, factor, 32.0)
    assert jump.median == pytest.approx(32.0 * factor)
    assert outcome.new == 24
    (record,) = await store.files.applied(marked.record.digest)
    assert (record.suspect_series, record.unit_jumps) == (1, marked.record.unit_jumps)
    series = await series_named(store, KEY)
    values = await store.reader.observations(series.series_id, span=Span(T0 + timedelta(hours=30)))
    assert set(values["quality"].to_list()) == {int(Quality.SUSPECT)}


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (1.0, False),
        (8.9, False),
        (9.0, True),
        (9.1, True),
        (11.0, True),
        (11.1, False),
        (50.0, False),
        (89.0, False),
        (90.0, True),
        (110.0, True),
        (111.0, False),
        (1_100.0, True),
        (1_101.0, False),
        (10_000.0, False),
        (0.089, False),
        (0.09, True),
        (0.11, True),
        (0.111, False),
        (0.0011, True),
        (0.0001, False),
    ],
)
async def test_the_ratio_must_lie_within_a_tenth_of_the_factor(ratio: float, expected: bool) -> None:
    assert await is_suspect([20.0] * 30, [20.0 * ratio] * 24) is expected


async def test_negative_values_are_compared_by_their_size() -> None:
    assert await is_suspect([-20.0] * 30, [-200.0] * 24)


@pytest.mark.parametrize(("points", "expected"), [(LEAST_POINTS - 1, False), (LEAST_POINTS, True)])
async def test_fewer_than_twelve_points_say_nothing(points: int, expected: bool) -> None:
    assert await is_suspect([20.0] * 30, [200.0] * points) is expected
    assert await is_suspect([20.0] * points, [200.0] * 24) is expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([-20.0] * 30, [200.0] * 24),
        ([0.0] * 30, [200.0] * 24),
        ([20.0] * 30, [0.0] * 24),
        ([20.0] * 30, [-200.0] * 24),
        ([0.001] * 30, [0.01] * 24),
        ([0.3] * 16 + [500.0] * 14, [3.0] * 24),
        ([float("nan")] * 30, [200.0] * 24),
        ([20.0] * 30, [float("nan")] * 24),
    ],
    ids=["sign", "zero", "to zero", "to negative", "tiny", "near zero for its size", "withdrawn", "to withdrawn"],
)
async def test_a_median_near_zero_or_of_another_sign_says_nothing(before: list[float], after: list[float]) -> None:
    assert not await is_suspect(before, after)


async def test_withdrawn_values_do_not_count_and_stay_withdrawn() -> None:
    store = await stored(hours(0, [20.0] * 30))
    points = [(30 + place, 1, 200.0) for place in range(12)] + [(42, 1, float("nan"), int(Quality.WITHDRAWN))]
    marked = await mark_unit_jumps(file_load(points), store.neighbours)
    assert marked.parts[0].rows["quality"].to_list() == [int(Quality.SUSPECT)] * 12 + [int(Quality.WITHDRAWN)]


async def test_only_the_last_thirty_points_count() -> None:
    assert await is_suspect([2.0] * 100 + [20.0] * 30, [200.0] * 24)
    assert not await is_suspect([20.0] * 100 + [200.0] * 30, [200.0] * 24)


async def test_one_series_of_a_file_is_suspect_and_the_others_are_good() -> None:
    keys = (KEY, OTHER, THIRD)
    store = await stored(together(*(hours(0, [20.0 + 5 * place] * 30, key=key) for place, key in enumerate(keys))))
    file = together(hours(30, [21.0] * 24), hours(30, [2_500.0] * 24, key=OTHER), hours(30, [29.0] * 24, key=THIRD))
    marked = await mark_unit_jumps(file, store.neighbours)
    assert [(jump.key, jump.factor) for jump in marked.record.unit_jumps] == [(OTHER, 100.0)]
    rows = marked.parts[0].rows
    assert rows.filter(pl.col("quality") == int(Quality.SUSPECT))["series"].unique().to_list() == [1]


async def test_a_report_names_some_of_many_series_and_counts_all() -> None:
    keys = [f"invented:numbers:N{number:02}:value" for number in range(MOST_NAMED + 5)]
    store = await stored(together(*(hours(0, [20.0] * 30, key=key) for key in keys)))
    marked = await mark_unit_jumps(together(*(hours(30, [200.0] * 12, key=key) for key in keys)), store.neighbours)
    assert (marked.record.suspect_series, len(marked.record.unit_jumps)) == (MOST_NAMED + 5, MOST_NAMED)


async def test_a_file_that_is_loaded_again_is_compared_anew_with_what_is_outside_of_its_span() -> None:
    store = await stored(hours(0, [20.0] * 30))
    file = hours(30, [200.0] * 48)
    await load(store, file)
    again, outcome = await load(store, file, force=True)
    assert (again.record.suspect_series, outcome.new, outcome.revised) == (1, 0, 0)
    await store.loader.load(hours(0, [210.0] * 30, known=2))
    corrected, _ = await load(store, file, force=True)
    assert corrected.record.suspect_series == 0


async def test_a_file_of_the_past_is_compared_with_the_first_points_after_it() -> None:
    store = await stored(hours(100, [20.0] * 30 + [300.0] * 90))
    marked = await mark_unit_jumps(hours(0, [2_000.0] * 24), store.neighbours)
    assert [jump.stored for jump in marked.record.unit_jumps] == [20.0]


async def test_a_new_series_and_an_empty_file_are_left_as_they_are() -> None:
    store = await stored(hours(0, [20.0] * 30))
    new = hours(30, [200.0] * 24, key=OTHER)
    assert await mark_unit_jumps(new, store.neighbours) is new
    nothing = replace(new, parts=())
    assert await mark_unit_jumps(nothing, store.neighbours) is nothing


async def test_of_several_publications_of_a_point_the_last_one_counts() -> None:
    store = await stored(hours(0, [20.0] * 30))
    points = [(30 + place, known, value) for place in range(12) for known, value in ((1, 20.0), (2, 200.0))]
    assert (await mark_unit_jumps(file_load(points), store.neighbours)).record.suspect_series == 1
    few = [(30, known, 200.0) for known in range(20)]
    assert (await mark_unit_jumps(file_load(few), store.neighbours)).record.suspect_series == 0


@pytest.mark.parametrize("factor", [10.0, 100.0, 1_000.0, 0.1, 0.01, 0.001])
async def test_a_file_that_covers_all_that_is_stored_is_compared_with_it(factor: float) -> None:
    month = [20.0 + place % 24 for place in range(31 * 24)]  # the last 30 hours are not like the month
    store = await stored(hours(0, month))
    marked = await mark_unit_jumps(hours(0, [value * factor for value in month], known=2), store.neighbours)
    (jump,) = marked.record.unit_jumps
    assert jump.factor == factor
    assert jump.median / jump.stored == pytest.approx(factor)
    assert qualities(marked) == {int(Quality.SUSPECT)}


async def test_a_file_with_a_few_stored_points_outside_is_compared_with_those_inside() -> None:
    store = await stored(hours(0, [20.0] * 100))
    marked = await mark_unit_jumps(hours(LEAST_POINTS - 1, [20_000.0] * 100, known=2), store.neighbours)
    assert marked.record.suspect_series == 1


async def test_a_second_load_of_the_same_values_and_small_revisions_are_good() -> None:
    month = [20.0 + place % 24 for place in range(31 * 24)]
    store = await stored(hours(0, month))
    for values in (month, [value * 1.05 for value in month], [*month[:-1], 430.0]):
        file = hours(0, values, known=2)
        assert await mark_unit_jumps(file, store.neighbours) is file


async def test_values_that_are_stored_as_they_are_in_the_file_are_looked_up_once_zeros_too() -> None:
    store = await stored(hours(0, [*[20.0] * 50, 0.0]))
    calls: list[int] = []

    class Counted:
        async def neighbours(self, spans: pl.DataFrame, *, count: int, within: int = 0) -> pl.DataFrame:
            calls.append(within)
            return await store.neighbours.neighbours(spans, count=count, within=within)

    file = hours(0, [*[20.0] * 50, 0.0], known=2)
    assert await mark_unit_jumps(file, Counted()) is file
    assert calls == [1]


async def test_instants_that_only_one_of_the_two_has_do_not_count() -> None:
    store = await stored(hours(0, [20.0] * (LEAST_POINTS - 1)))
    few = hours(0, [200.0] * 100, known=2)
    assert await mark_unit_jumps(few, store.neighbours) is few


async def test_of_a_file_loaded_anew_only_the_series_that_jumps_is_suspect() -> None:
    store = await stored(together(hours(0, [20.0] * 50), hours(0, [30.0] * 50, key=OTHER)))
    file = together(hours(0, [20.0] * 50, known=2), hours(0, [30_000.0] * 50, key=OTHER, known=2))
    marked = await mark_unit_jumps(file, store.neighbours)
    assert [(jump.key, jump.factor) for jump in marked.record.unit_jumps] == [(OTHER, 1_000.0)]
