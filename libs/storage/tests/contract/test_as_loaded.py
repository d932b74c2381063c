"""Reads of the store as it stood: after any later load they equal the answers that the store gave then."""

import itertools
import math
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aurum.core.asof import Span
from aurum.core.frames import CONFIRMATIONS, HISTORY, PUBLICATIONS
from aurum.core.restatement import MOVES
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import Actor
from aurum.storage.ports.observations import SeriesReader
from aurum.storage.ports.recordings import NotRecorded, RecordingAction
from aurum.storage.testing.builders import KEY, Point, day, file_load, hour, together
from aurum.storage.testing.stores import Store, series_named

numbers = itertools.count()

KNOWN = (None, day(0), day(2), day(3) - timedelta(microseconds=1))

points: st.SearchStrategy[Point] = st.tuples(
    st.sampled_from([0, 1, 2, 3, 800]),
    st.integers(0, 4),
    st.sampled_from([0.0, 1.0, 2.0, math.nan]),
    st.sampled_from([0, 0, 0, 1]),
    st.sampled_from([0, 0, 0, -1]),
)
files = st.lists(st.tuples(st.lists(points, min_size=1, max_size=5), st.lists(points, max_size=3)), min_size=1, max_size=6)


async def answers(reader: SeriesReader, ids: list[int]) -> list[pl.DataFrame]:
    """Return answers of every kind about some series, for some instants."""
    frames = [await reader.many(ids, span=Span(), as_of=as_of) for as_of in KNOWN]
    frames += [await reader.many(ids, span=Span(hour(1), hour(3)), as_of=day(2))]
    frames += [await reader.observations(ids[0], span=Span(), as_of=as_of) for as_of in (None, day(1))]
    frames += [await reader.revisions(ids[-1], span=Span()), await reader.versions(ids, span=Span(), as_of=day(2))]
    return [*frames, await true_confirmations(reader, ids)]


async def true_confirmations(reader: SeriesReader, ids: list[int]) -> pl.DataFrame:
    """Return the confirmations without those that a later load made versions, which a reader may still name."""
    versions = await reader.versions(ids, span=Span())
    return (await reader.confirmations(ids, span=Span())).join(versions, on=["series_id", "ts", "known_at"], how="anti")


@settings(max_examples=settings().max_examples // 8)
@given(files=files)
async def test_an_answer_as_loaded_equals_the_answer_given_then(
    shared_store: Store, files: list[tuple[list[Point], list[Point]]]
) -> None:
    keys = [f"invented:loaded:{next(numbers)}:value" for _ in range(2)]
    then: list[tuple[datetime, list[int], list[pl.DataFrame]]] = []
    for number, parts in enumerate(files):
        loads = [file_load(part, key=key, digest=f"{key} {number}") for key, part in zip(keys, parts, strict=True) if part]
        await shared_store.loader.load(together(*loads))
        ids = sorted(series.series_id for series in (await shared_store.catalog.series_by_key(keys)).values())
        then.append((await shared_store.loaded.latest(), ids, await answers(shared_store.reader, ids)))
    for at, ids, frames in then:
        reader = await shared_store.loaded.as_loaded(at)
        for now, before in zip(await answers(reader, ids), frames, strict=True):
            assert_frame_equal(now, before, check_exact=True)


moves = st.lists(st.tuples(st.sampled_from([0, 1, 2, 3, 800]), st.integers(0, 4), st.integers(-2, 4)), min_size=1, max_size=4)


@settings(max_examples=settings().max_examples // 8)
@given(steps=st.lists(st.one_of(st.lists(points, min_size=1, max_size=5), moves), min_size=2, max_size=7))
async def test_restatements_are_taken_back_like_loads(
    shared_store: Store, steps: list[list[Point] | list[tuple[int, int, int]]]
) -> None:
    key = f"invented:restated:{next(numbers)}:value"
    await shared_store.loader.load(file_load([(0, 2, 1.0), (1, 3, 2.0)], key=key))
    series_id = (await series_named(shared_store, key)).series_id
    then: list[tuple[datetime, list[pl.DataFrame]]] = []
    for number, step in enumerate(steps):
        if len(step[0]) == 3:
            await restate(shared_store, series_id, step)
        else:
            await shared_store.loader.load(file_load(step, key=key, digest=f"{key} {number}"))
        then.append((await shared_store.loaded.latest(), await answers(shared_store.reader, [series_id])))
    for at, frames in then:
        reader = await shared_store.loaded.as_loaded(at)
        for now, before in zip(await answers(reader, [series_id]), frames, strict=True):
            assert_frame_equal(now, before, check_exact=True)


async def restate(store: Store, series_id: int, moved: list[tuple[int, int, int]]) -> None:
    """Move publications of points (hours) from known days to others."""
    rows = {(ts, known): to for ts, known, to in moved if known != to}
    frame = pl.DataFrame(
        [(series_id, hour(ts), day(known), day(to)) for (ts, known), to in rows.items()], schema=MOVES, orient="row"
    )
    async with store.transactions.transaction(by=Actor("operator")) as tx:
        recording_id = await tx.recordings.begin()
        if not frame.is_empty():
            await tx.restater.restate(frame, recording_id=recording_id)
        await tx.recordings.seal(recording_id, RecordingAction.RESTATEMENT, [])


async def test_a_series_is_empty_as_loaded_before_its_first_file(store: Store) -> None:
    before = await store.loaded.latest()
    await store.loader.load(file_load([(0, 1, 1.0), (1, 1, 2.0)]))
    series_id = (await series_named(store, KEY)).series_id
    reader = await store.loaded.as_loaded(before)
    assert (await reader.observations(series_id, span=Span())).is_empty()
    assert (await reader.many([series_id], span=Span(), as_of=day(3))).is_empty()
    assert_frame_equal(await reader.versions([series_id], span=Span()), pl.DataFrame(schema=HISTORY))


async def test_a_restatement_is_taken_back(store: Store) -> None:
    await store.loader.load(file_load([(0, 5, 1.0), (1, 5, 2.0)]))
    series_id = (await series_named(store, KEY)).series_id
    before = await store.loaded.latest()
    key = {"series_id": [series_id], "ts": [hour(0)], "known_at": [day(5)]}
    schema = {name: PUBLICATIONS[name] for name in ("series_id", "ts", "known_at")}
    removed = pl.DataFrame({**key, "value": [1.0], "quality": [0]}, schema=PUBLICATIONS)
    async with store.transactions.transaction(by=Actor("operator")) as tx:
        recording_id = await tx.recordings.begin()
        added = pl.DataFrame({**key, "known_at": [day(1)]}, schema=schema)
        await tx.recordings.record_undo(recording_id, added=added, removed=removed)
        await tx.recordings.seal(recording_id, RecordingAction.RESTATEMENT, [])
    reader = await store.loaded.as_loaded(before)
    assert (await reader.revisions(series_id, span=Span()))["known_at"].to_list() == [day(5), day(5)]
    assert (await reader.observations(series_id, span=Span(), as_of=day(4))).is_empty()


async def test_an_instant_before_the_first_recording_is_refused_and_the_earliest_is_named(store: Store) -> None:
    with pytest.raises(NotRecorded) as refusal:
        await store.loaded.as_loaded(datetime(1999, 1, 1, tzinfo=UTC))
    earliest = datetime.fromisoformat(str(refusal.value.facts["earliest"]))
    assert refusal.value.facts["earliest"] in refusal.value.detail
    await store.loaded.as_loaded(earliest)
    with pytest.raises(NotRecorded):
        await store.loaded.as_loaded(earliest - timedelta(microseconds=1))


async def test_an_instant_in_the_future_is_refused(store: Store) -> None:
    with pytest.raises(NotRecorded, match="in the future"):
        await store.loaded.as_loaded(datetime(2999, 1, 1, tzinfo=UTC))


async def test_removed_series_stay_removed(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.0), (1, 3, 2.0)]))
    await store.loader.load(file_load([(0, 2, 3.0), (1, 1, 4.0)]))
    series_id = (await series_named(store, KEY)).series_id
    before = await store.loaded.latest()
    async with store.transactions.transaction(by=Actor("operator")) as tx:
        stored = await tx.removal.lock(KEY)
        assert stored is not None
        await tx.removal.remove(stored)
    reader = await store.loaded.as_loaded(before)
    assert (await reader.versions([series_id], span=Span())).is_empty()
    assert_frame_equal(await reader.confirmations([series_id], span=Span()), pl.DataFrame(schema=CONFIRMATIONS))


async def test_long_reads_come_in_batches_of_bounded_size(store: Store) -> None:
    size = 1_500 if isinstance(store, MemoryStore) else 100_000
    half: list[Point] = [(at / 30, 1, 1.0) for at in range(0, size, 2)]
    await store.loader.load(file_load(half, digest="half"))
    series_id = (await series_named(store, KEY)).series_id
    before, then = await store.loaded.latest(), await store.reader.many([series_id], span=Span())
    await store.loader.load(file_load([(at / 30, 2, 2.0) for at in range(size)], digest="whole"))
    reader = await store.loaded.as_loaded(before)
    parts = [part async for part in reader.stream([series_id], span=Span())]
    assert len(parts) > 1
    assert_frame_equal(pl.concat(parts), then)
