"""All versions of the points of several series, and the publications that repeated a value."""

import itertools
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aurum.core.asof import Span
from aurum.core.frames import CONFIRMATIONS, HISTORY, REVISIONS, conform
from aurum.storage.memory import MemoryStore
from aurum.storage.testing.archiving import TieredStore
from aurum.storage.testing.builders import KEY, Point, day, file_load, hour
from aurum.storage.testing.stores import Store, series_named

OTHER = "invented:numbers:B:value"
MONTH = 31 * 24

numbers = itertools.count()

points: st.SearchStrategy[Point] = st.tuples(st.sampled_from([0, 1, MONTH]), st.integers(0, 3), st.sampled_from([1.0, 2.0]))


async def load(store: Store, *batches: list[Point], key: str = KEY) -> int:
    """Load each batch as a separate file, and return the id of the series."""
    for number, batch in enumerate(batches):
        await store.loader.load(file_load(batch, key=key, digest=f"{key} {number}"))
    return (await series_named(store, key)).series_id


async def test_versions_of_several_series_have_the_time_in_which_they_were_in_force(store: Store) -> None:
    first = await load(store, [(0, 1, 10.0), (1, 1, 11.0)], [(0, 3, 20.0)], [(0, 2, 15.0)])
    second = await load(store, [(MONTH, 1, 5.0)], [(MONTH, 2, 5.0)], [(MONTH, 3, 6.0)], key=OTHER)
    frame = await store.reader.versions([second, first, second], span=Span())
    assert conform(frame, HISTORY).rows() == [
        (first, hour(0), day(1), day(2), 10.0, 0),
        (first, hour(0), day(2), day(3), 15.0, 0),
        (first, hour(0), day(3), None, 20.0, 0),
        (first, hour(1), day(1), None, 11.0, 0),
        (second, hour(MONTH), day(1), day(3), 5.0, 0),
        (second, hour(MONTH), day(3), None, 6.0, 0),
    ]


async def test_versions_keep_to_span_and_instant(store: Store) -> None:
    series_id = await load(store, [(0, 1, 1.0), (1, 1, 2.0), (2, 1, 3.0)], [(1, 2, 4.0)])
    frame = await store.reader.versions([series_id], span=Span(hour(1), hour(2)))
    assert frame["value"].to_list() == [2.0, 4.0]
    at_first = await store.reader.versions([series_id], span=Span(hour(1), hour(2)), as_of=day(1))
    assert at_first.select("value", "superseded_at").rows() == [(2.0, day(2))]


async def test_unknown_series_have_no_versions(store: Store) -> None:
    assert_frame_equal(await store.reader.versions([987_654], span=Span()), pl.DataFrame(schema=HISTORY))
    assert_frame_equal(await store.reader.confirmations([987_654], span=Span()), pl.DataFrame(schema=CONFIRMATIONS))
    assert (await store.reader.versions([], span=Span())).is_empty()


async def test_confirmations_name_the_points_that_a_publication_repeated(store: Store) -> None:
    series_id = await load(store, [(0, 1, 1.0), (MONTH, 1, 2.0)], [(0, 2, 1.0), (MONTH, 2, 3.0)], [(0, 3, 1.0)])
    frame = await store.reader.confirmations([series_id], span=Span())
    assert conform(frame, CONFIRMATIONS).rows() == [(series_id, hour(0), day(2)), (series_id, hour(0), day(3))]
    second = Span(day(2), day(2) + timedelta(microseconds=1))
    assert (await store.reader.confirmations([series_id], span=Span(), known=second))["known_at"].to_list() == [day(2)]
    assert (await store.reader.confirmations([series_id], span=Span(hour(1), None))).is_empty()


async def test_versions_come_in_batches_of_bounded_size(store: Store) -> None:
    size = 700 if isinstance(store, MemoryStore) else 40_000
    step = 1 / 30
    batches: list[list[Point]] = [[(at * step, known, float(known)) for at in range(size)] for known in (1, 2)]
    series_id = await load(store, *batches)
    parts = [part async for part in store.reader.version_stream([series_id], span=Span())]
    assert max(part.height for part in parts) < 2 * size
    whole = pl.concat(parts)
    assert whole.height == 2 * size
    assert_frame_equal(whole, await store.reader.versions([series_id], span=Span()))
    assert_frame_equal(whole, whole.sort("series_id", "ts", "known_at"))


@settings(max_examples=settings().max_examples // 3)
@given(files=st.lists(st.lists(points, min_size=1, max_size=4), min_size=1, max_size=5))
async def test_versions_and_confirmations_are_all_publications(shared_store: Store, files: list[list[Point]]) -> None:
    series_id = await load(shared_store, *files, key=f"invented:versions:{next(numbers)}:value")
    versions = await shared_store.reader.versions([series_id], span=Span())
    revisions = await shared_store.reader.revisions(series_id, span=Span())
    assert_frame_equal(versions.select(list(REVISIONS)), revisions)
    confirmed = await shared_store.reader.confirmations([series_id], span=Span())
    published = {(hour(ts), day(known)) for file in files for ts, known, _ in file}
    assert {*versions.select("ts", "known_at").iter_rows(), *confirmed.select("ts", "known_at").iter_rows()} == published
    for as_of in map(day, range(4)):
        known = await shared_store.reader.versions([series_id], span=Span(), as_of=as_of)
        in_force = known.filter((pl.col("superseded_at") > as_of).fill_null(True))
        answer = await shared_store.reader.observations(series_id, span=Span(), as_of=as_of)
        assert_frame_equal(in_force.select(answer.columns), answer)


@pytest.mark.needs_postgres
async def test_points_of_a_restored_month_stand_between_archived_ones(tiered_duckdb_store: TieredStore) -> None:
    store = tiered_duckdb_store
    series_id = await load(store, [(0, 1, 1.0), (MONTH, 1, 2.0), (3 * MONTH, 1, 3.0)])
    await store.plain_loader.load(file_load([(MONTH, 2, 4.0)]))
    frame = await store.reader.versions([series_id], span=Span())
    assert frame["value"].to_list() == [1.0, 2.0, 4.0, 3.0]
