"""Records of the series of each file. No port reads them yet, so the tests read them from each adapter directly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
import pytest

from aurum.core.asof import Span
from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.catalog.quality import Reason
from aurum.core.errors import Conflict
from aurum.core.frames import FrameMismatch
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.files import FileFilter
from aurum.storage.ports.observations import SeriesRows
from aurum.storage.testing.builders import KEY, T0, Point, day, file_load, hour, together
from aurum.storage.testing.stores import PostgresStore, Store, series_named

OTHER = "invented:numbers:B:value"
THIRD = "invented:numbers:C:value"

Record = tuple[int, str, datetime, datetime, datetime, int, int]
"""File, series, first and last ``ts``, known time, new and revised points."""
Records = Callable[[], Awaitable[list[Record]]]

_READ = """
SELECT file_id, s.key, f.first_ts, f.last_ts, f.known_at, f.new, f.revised
FROM file_series AS f JOIN series AS s USING (series_id) ORDER BY file_id, s.key
"""


@pytest.fixture
def records(store: Store) -> Records:
    """A function that reads all records, by file and series."""

    async def read() -> list[Record]:
        if isinstance(store, MemoryStore):
            keys = {series.series_id: key for key, series in store.state.series.items()}
            rows = [(file_id, *row[:6]) for file_id, frame in store.state.file_series.items() for row in frame.rows()]
            return sorted((file_id, keys[series_id], *rest) for file_id, series_id, *rest in rows)
        assert isinstance(store, PostgresStore)
        async with store.pool.acquire() as connection:
            return [tuple(row) for row in await connection.fetch(_READ)]

    return read


async def loaded(store: Store, *points: Point, key: str = KEY, force: bool = False) -> int:
    return (await store.loader.load(file_load(points, key=key), force=force)).file_id


async def test_a_first_delivery_counts_every_point_as_new(store: Store, records: Records) -> None:
    first = await loaded(store, (2, 1, 3.0), (0, 1, 1.0), (5, 1, 2.0))
    assert await records() == [(first, KEY, hour(0), hour(5), day(1), 3, 0)]


async def test_a_revision_counts_the_points_that_it_changes_and_spans_all_that_it_says(store: Store, records: Records) -> None:
    first = await loaded(store, (0, 1, 1.0), (1, 1, 2.0), (2, 1, 3.0))
    second = await loaded(store, (0, 2, 1.0), (1, 2, 2.5), (2, 2, 3.0))
    assert await records() == [
        (first, KEY, hour(0), hour(2), day(1), 3, 0),
        (second, KEY, hour(0), hour(2), day(2), 0, 1),
    ]


async def test_a_file_that_overlaps_another_one_counts_new_and_revised_points_apart(store: Store, records: Records) -> None:
    await loaded(store, (0, 1, 1.0), (1, 1, 2.0), (2, 1, 3.0))
    second = await loaded(store, (1, 2, 2.0), (2, 2, 3.5), (3, 2, 4.0), (4, 2, 5.0))
    assert (await records())[1:] == [(second, KEY, hour(1), hour(4), day(2), 2, 1)]


async def test_a_file_that_repeats_what_is_known_is_recorded_without_new_or_revised_points(
    store: Store, records: Records
) -> None:
    await loaded(store, (0, 1, 1.0), (1, 1, 2.0))
    second = await loaded(store, (0, 2, 1.0), (1, 2, 2.0))
    assert (await records())[1:] == [(second, KEY, hour(0), hour(1), day(2), 0, 0)]


async def test_a_content_that_is_offered_again_is_recorded_once_and_by_force_once_more(store: Store, records: Records) -> None:
    points: tuple[Point, ...] = ((0, 1, 1.0), (1, 1, 2.0))
    first = await loaded(store, *points)
    assert await loaded(store, *points) == first
    assert await records() == [(first, KEY, hour(0), hour(1), day(1), 2, 0)]
    forced = await loaded(store, *points, force=True)
    assert (await records())[1:] == [(forced, KEY, hour(0), hour(1), day(1), 0, 0)]


async def test_a_late_publication_is_recorded_at_its_own_known_time(store: Store, records: Records) -> None:
    await loaded(store, (0, 3, 3.0))
    second = await loaded(store, (0, 1, 1.0))
    assert (await records())[1:] == [(second, KEY, hour(0), hour(0), day(1), 0, 1)]


async def test_the_known_time_recorded_is_the_latest_of_the_rows_and_counts_their_versions(
    store: Store, records: Records
) -> None:
    first = await loaded(store, (0, 1, 1.0), (1, 4, 2.0, 0, 3), (2, 2, 3.0))
    assert await records() == [(first, KEY, hour(0), hour(2), day(4) + timedelta(microseconds=3), 3, 0)]


async def test_several_known_times_of_one_point_count_each_by_what_it_does(store: Store, records: Records) -> None:
    first = await loaded(store, (0, 3, 2.0), (0, 1, 1.0), (0, 2, 1.0), (0, 3, 1.5))
    assert await records() == [(first, KEY, hour(0), hour(0), day(3), 1, 1)]


async def test_a_file_of_several_series_has_a_record_of_each(store: Store, records: Records) -> None:
    await loaded(store, (0, 1, 1.0), (1, 1, 2.0), key=OTHER)
    file = together(
        file_load([(0, 2, 1.0)], key=KEY),
        file_load([(1, 2, 7.0), (4, 3, 8.0)], key=OTHER),
        file_load([], key=THIRD),
    )
    outcome = await store.loader.load(file)
    assert [record for record in await records() if record[0] == outcome.file_id] == [
        (outcome.file_id, KEY, hour(0), hour(0), day(2), 1, 0),
        (outcome.file_id, OTHER, hour(1), hour(4), day(3), 1, 1),
    ]
    own = [record for record in await records() if record[0] == outcome.file_id]
    assert (outcome.new, outcome.revised) == (sum(record[5] for record in own), sum(record[6] for record in own))


async def test_a_file_with_a_known_time_of_its_own_is_recorded_at_it(store: Store, records: Records) -> None:
    outcome = await store.loader.load(file_load([(0, None, 1.0)], basis=KnownAtBasis.STATED, known_at=day(9)))
    assert await records() == [(outcome.file_id, KEY, hour(0), hour(0), day(9), 1, 0)]


async def test_a_file_that_is_known_when_it_is_loaded_is_recorded_at_that_moment(store: Store, records: Records) -> None:
    outcome = await store.loader.load(file_load([(0, None, 1.0)], basis=KnownAtBasis.INGESTED))
    series = await series_named(store, KEY)
    observed = await store.reader.points(series.series_id, span=Span())
    (entry,) = await store.files.applied(file_load([(0, None, 1.0)], basis=KnownAtBasis.INGESTED).record.digest)
    (record,) = await records()
    assert record[:4] == (outcome.file_id, KEY, hour(0), hour(0))
    assert record[4] == entry.known_at == observed.frame()["known_at"].item() > T0


async def test_a_file_of_which_every_row_is_in_quarantine_has_no_record_of_a_series(store: Store, records: Records) -> None:
    outcome = await store.loader.load(file_load([], held=[(1, Reason.NON_NUMERIC)]))
    assert outcome.quarantined == 1
    assert await records() == []


async def test_a_refused_file_has_no_record_of_a_series(store: Store, records: Records) -> None:
    await store.loader.refuse(file_load([(0, 1, 1.0)]).record, reason="no such dataset")
    assert await records() == []


async def test_a_load_that_fails_before_or_after_a_part_is_stored_records_nothing(store: Store, records: Records) -> None:
    first = await loaded(store, (0, 1, 1.0), key=OTHER)
    other_unit = together(file_load([(0, 2, 1.0)]), file_load([(0, 2, 2.0)], key=OTHER, unit="kW"))
    with pytest.raises(Conflict):
        await store.loader.load(other_unit)
    stored, refused = file_load([(0, 2, 1.0)]), file_load([(0, 2, 2.0)], key=OTHER)
    (part,) = refused.parts
    unknown = pl.lit(None, dtype=part.rows.schema["known_at"]).alias("known_at")
    without_known_time = SeriesRows(part.series, part.rows.with_columns(unknown))
    with pytest.raises(FrameMismatch):
        await store.loader.load(replace(stored, parts=(*stored.parts, without_known_time)))
    assert await records() == [(first, OTHER, hour(0), hour(0), day(1), 1, 0)]
    assert [file.file_id for file in await store.files.files_page(FileFilter(), before=None, limit=9)] == [first]
    assert await store.catalog.series_by_key([KEY]) == {}


async def test_a_file_of_several_parts_has_a_record_of_the_series_of_each(store: Store, records: Records) -> None:
    first, second = file_load([(0, 1, 1.0)]), file_load([(1, 2, 2.0), (2, 2, 3.0)], key=OTHER)
    outcome = await store.loader.load(replace(first, parts=(*first.parts, *second.parts)))
    assert await records() == [
        (outcome.file_id, KEY, hour(0), hour(0), day(1), 1, 0),
        (outcome.file_id, OTHER, hour(1), hour(2), day(2), 2, 0),
    ]
