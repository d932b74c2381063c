"""The list of changes: positions, filters, and the points of an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import nan

import pytest

from aurum.core.catalog.entries import KnownAtBasis
from aurum.storage.changed_points import LoadedChangedPoints
from aurum.storage.ports.recordings import (
    MOST_MATCHED_KEYS,
    ChangeEntry,
    ChangeFilter,
    ChangePage,
    ChangePosition,
    RecordingAction,
    SeriesMatch,
)
from aurum.storage.testing.builders import KEY, Point, day, file_load, hour, together
from aurum.storage.testing.stores import Store

B, C = "invented:numbers:B:value", "invented:numbers:C:value"
OTHER_DATASET = "invented:others:A:value"
OTHER_SOURCE = "foreign:numbers:A:value"
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
ALL = ChangeFilter()


async def loaded(store: Store, *points: Point, key: str = KEY, **options: object) -> int:
    return (await store.loader.load(file_load(points, key=key, **options))).file_id  # type: ignore[arg-type] - as written


async def page(store: Store, criteria: ChangeFilter = ALL, *, limit: int = 100) -> ChangePage:
    start = (await store.change_log.bounds(ALWAYS)).oldest
    return await store.change_log.changes(start, criteria, limit=limit)


async def entries(store: Store, criteria: ChangeFilter = ALL) -> Sequence[ChangeEntry]:
    return (await page(store, criteria)).entries


async def files(store: Store, criteria: ChangeFilter) -> list[int | None]:
    return [one.file_id for one in await entries(store, criteria)]


async def test_an_empty_list_begins_and_ends_at_the_position_before_the_first_entry(store: Store) -> None:
    bounds = await store.change_log.bounds(ALWAYS)
    assert bounds.oldest == bounds.last == await store.change_log.position(0)
    assert (await page(store)) == ChangePage([], bounds.last, bounds.last)
    assert await store.change_log.entry(0) is None


async def test_a_load_leaves_an_entry_that_says_what_it_did(store: Store) -> None:
    file = file_load([(0, None, 1.0), (2, None, 2.0)], basis=KnownAtBasis.STATED, known_at=day(9))
    file_id = (await store.loader.load(file)).file_id
    (entry,) = await entries(store)
    change = entry.change
    assert (entry.action, entry.file_id, entry.file_name) == (RecordingAction.LOAD, file_id, file.record.name)
    assert entry.digest == file.record.digest
    assert (change.source, change.dataset, change.known_at, change.basis) == (
        "invented", "numbers", day(9), KnownAtBasis.STATED,
    )  # fmt: skip
    assert (change.series, change.new, change.revised, change.first_ts, change.last_ts) == (1, 2, 0, hour(0), hour(2))
    assert await store.change_log.entry(entry.position.number) == entry
    assert await store.change_log.position(entry.position.number) == entry.position


async def test_entries_come_in_the_order_of_commits_also_when_their_known_times_do_not(store: Store) -> None:
    ids = [await loaded(store, (0, known, float(known)), key=key) for known, key in ((9, KEY), (1, B), (5, C))]
    listed = await entries(store)
    assert [one.file_id for one in listed] == ids
    assert [one.position.number for one in listed] == sorted({one.position.number for one in listed})
    assert [one.position.recorded_at for one in listed] == sorted({one.position.recorded_at for one in listed})


async def test_pages_continue_where_the_one_before_ended(store: Store) -> None:
    ids = [await loaded(store, (number, 1, 1.0)) for number in range(5)]
    at, seen, pages, is_last = (await store.change_log.bounds(ALWAYS)).oldest, list[int | None](), 0, False
    while not is_last:
        one = await store.change_log.changes(at, ALL, limit=2)
        seen += [entry.file_id for entry in one.entries]
        at, pages, is_last = one.next, pages + 1, one.is_last
    assert (seen, pages) == (ids, 3)
    assert await store.change_log.changes(at, ALL, limit=2) == ChangePage([], at, at)


async def test_entries_are_filtered_by_source_and_dataset(store: Store) -> None:
    first, second, third = [await loaded(store, (0, 1, 1.0), key=key) for key in (KEY, OTHER_DATASET, OTHER_SOURCE)]
    assert await files(store, ChangeFilter(source="invented")) == [first, second]
    assert await files(store, ChangeFilter(dataset="numbers")) == [first, third]
    assert await files(store, ChangeFilter(source="invented", dataset="others")) == [second]
    nothing = await page(store, ChangeFilter(source="unknown"))
    assert (nothing.entries, nothing.next) == ([], nothing.last)
    assert nothing.last.number > 0


@pytest.mark.parametrize(
    ("patterns", "matched"),
    [
        ((KEY,), (KEY,)),
        ((KEY, C), (KEY, C)),
        (("invented:numbers:*",), (KEY, B, C)),
        (("*:B:value", KEY), (KEY, B)),
        (("*",), (KEY, B, C)),
        (("invented:numbers:_:value",), ()),
        (("invented:numbers:%",), ()),
        (("invented:number*:A:*", "nothing*"), (KEY,)),
        ((OTHER_DATASET,), ()),
        (("Invented:*",), ()),
    ],
)
async def test_an_entry_says_which_of_its_series_match(
    store: Store, patterns: tuple[str, ...], matched: tuple[str, ...]
) -> None:
    parts = [file_load([(0, 1, 1.0)], key=key) for key in (B, KEY, C)]
    await store.loader.load(together(*parts))
    listed = await entries(store, ChangeFilter(series=patterns))
    assert [one.matched for one in listed] == ([SeriesMatch(len(matched), matched)] if matched else [])


async def test_an_entry_counts_all_matching_series_and_names_a_hundred(store: Store) -> None:
    keys = [f"invented:numbers:{number:03}:value" for number in range(MOST_MATCHED_KEYS + 5)]
    await store.loader.load(together(*(file_load([(0, 1, 1.0)], key=key) for key in keys)))
    (entry,) = await entries(store, ChangeFilter(series=("invented:*",)))
    assert entry.matched == SeriesMatch(len(keys), tuple(keys[:MOST_MATCHED_KEYS]))
    assert list(await store.change_log.keys(entry)) == keys


async def test_a_file_of_two_datasets_has_an_entry_for_each_with_its_own_series(store: Store) -> None:
    first, second = file_load([(0, 1, 1.0)]), file_load([(1, 1, 2.0)], key=OTHER_DATASET)
    await store.loader.load(replace(first, parts=(*first.parts, *second.parts)))
    listed = await entries(store, ChangeFilter(series=("invented:*",)))
    assert [one.matched for one in listed] == [SeriesMatch(1, (KEY,)), SeriesMatch(1, (OTHER_DATASET,))]
    assert listed[0].position.number < listed[1].position.number
    assert [list(await store.change_log.keys(one)) for one in listed] == [[KEY], [OTHER_DATASET]]


async def test_a_page_of_a_filter_that_nothing_matches_reaches_the_end(store: Store) -> None:
    for number in range(3):
        await loaded(store, (number, 1, 1.0))
    empty = await page(store, ChangeFilter(series=("invented:numbers:Z:*",)), limit=1)
    assert (empty.entries, empty.is_last) == ([], True)


async def test_entries_expire_by_the_time_of_their_commit(store: Store) -> None:
    for number in range(3):
        await loaded(store, (number, 1, 1.0))
    first, second, third = [one.position for one in await entries(store)]
    assert (await store.change_log.bounds(first.recorded_at)).oldest.number == 0
    assert (await store.change_log.bounds(second.recorded_at)).oldest == first
    assert (await store.change_log.bounds(third.recorded_at)).oldest == second
    bounds = await store.change_log.bounds(datetime(2100, 1, 1, tzinfo=UTC))
    assert bounds.oldest == bounds.last == third


async def test_a_position_that_was_never_given_out_is_none(store: Store) -> None:
    await loaded(store, (0, 1, 1.0))
    last = (await store.change_log.bounds(ALWAYS)).last
    assert await store.change_log.position(last.number + 1) is None
    assert await store.change_log.entry(last.number + 1) is None
    ahead = ChangePosition(last.number + 9, last.recorded_at)
    assert (await store.change_log.changes(ahead, ALL, limit=3)).entries == []


Shown = tuple[str, float, float | None, float | None]
"""Series, hour, new and old value."""


async def points(store: Store, entry: ChangeEntry, *, limit: int = 1_000) -> list[Shown]:
    """Return all points of an entry, read in pages."""
    reader = LoadedChangedPoints(store.change_log, store.loaded)
    after, shown = None, []
    while True:
        changed = await reader.points(entry, after=after, limit=limit)
        assert changed.points.height <= limit
        rows = changed.points.select("key", "ts", "value", "old_value").rows()
        shown += [(key, (ts - hour(0)).total_seconds() / 3600, value, old) for key, ts, value, old in rows]
        if changed.next is None:
            return shown
        after = changed.next


async def test_new_and_revised_points_are_shown_with_the_values_before(store: Store) -> None:
    await loaded(store, (0, 1, 1.0), (1, 1, 2.0), (2, 1, 3.0))
    await loaded(store, (1, 2, 2.0), (2, 2, 3.5), (3, 2, 4.0))
    first, second = await entries(store)
    assert await points(store, first) == [(KEY, 0, 1.0, None), (KEY, 1, 2.0, None), (KEY, 2, 3.0, None)]
    assert await points(store, second) == [(KEY, 2, 3.5, 3.0), (KEY, 3, 4.0, None)]


async def test_points_are_ordered_by_series_and_time_and_read_in_pages(store: Store) -> None:
    keys = [f"invented:numbers:{name}:value" for name in "CAB"]
    await store.loader.load(together(*(file_load([(n, 1, float(n)) for n in range(3)], key=key) for key in keys)))
    (entry,) = await entries(store)
    every = [(key, float(n), float(n), None) for key in sorted(keys) for n in range(3)]
    for limit in (1, 2, 3, 4, 9, 10):
        assert await points(store, entry, limit=limit) == every


async def test_a_withdrawn_value_is_nan_and_a_repetition_is_no_point(store: Store) -> None:
    await loaded(store, (0, 1, 1.0), (1, 1, 2.0))
    await loaded(store, (0, 2, nan), (1, 2, 2.0))
    _, entry = await entries(store)
    ((key, offset, value, old),) = await points(store, entry)
    assert (key, offset, old) == (KEY, 0, 1.0)
    assert value is not None
    assert value != value


async def test_a_late_publication_shows_the_value_before_its_own_known_time(store: Store) -> None:
    await loaded(store, (0, 1, 1.0))
    await loaded(store, (0, 5, 5.0))
    await loaded(store, (0, 3, 3.0))
    *_, entry = await entries(store)
    assert await points(store, entry) == [(KEY, 0, 3.0, 1.0)]


async def test_points_of_years_are_read_part_by_part(store: Store) -> None:
    days = [0, 400, 900, 1_500]
    await loaded(store, *((24 * day, 1, float(day)) for day in days))
    (entry,) = await entries(store)
    assert await points(store, entry, limit=3) == [(KEY, 24.0 * day, float(day), None) for day in days]


async def test_points_stay_what_they_were_whatever_is_loaded_later(store: Store) -> None:
    await loaded(store, (0, 2, 2.0))
    await loaded(store, (0, 4, 4.0), (1, 4, 40.0))
    await loaded(store, (0, 3, 3.0), (1, 3, 30.0))
    await loaded(store, (0, 4, 5.0), (1, 4, 50.0))
    first, second, third, fourth = await entries(store)
    assert await points(store, first) == [(KEY, 0, 2.0, None)]
    assert await points(store, second) == [(KEY, 0, 4.0, 2.0), (KEY, 1, 40.0, None)]
    assert await points(store, third) == [(KEY, 0, 3.0, 2.0), (KEY, 1, 30.0, None)]
    assert await points(store, fourth) == [(KEY, 0, 5.0, 4.0), (KEY, 1, 50.0, 40.0)]


async def test_a_file_with_two_versions_of_a_point_shows_the_later_one(store: Store) -> None:
    await loaded(store, (0, 1, 1.0))
    await loaded(store, (0, 2, 2.0, 0, -1), (0, 2, 3.0), (1, 2, 9.0, 0, -1), (1, 2, 8.0))
    _, second = await entries(store)
    assert await points(store, second) == [(KEY, 0, 3.0, 1.0), (KEY, 1, 8.0, None)]
