"""Records of loads, quarantined rows and completeness."""

import itertools
import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from aurum.common.clock import SystemClock
from aurum.core.catalog.entries import Completeness, DatasetEntry, DatasetQuality, FileStatus, KnownAtBasis, SourceEntry
from aurum.core.catalog.quality import Reason
from aurum.core.errors import NotFound
from aurum.core.markettime import day_start, hours_in_day
from aurum.storage.ports.files import FileFilter, FileRecord
from aurum.storage.ports.quality import CompletenessFilter, QuarantineFilter
from aurum.storage.testing.builders import KEY, T0, Point, day, file_load, hour, together
from aurum.storage.testing.stores import Store, series_named

ZONE = "America/New_York"
SHORT, LONG, PLAIN = date(2025, 3, 9), date(2025, 11, 2), date(2025, 7, 1)
OTHER = "invented:numbers:B:value"


async def days_of(
    store: Store, *, after: tuple[str, date] | None = None, limit: int = 100, **filters: Any
) -> Sequence[Completeness]:
    return await store.quality.completeness_page(CompletenessFilter(**filters), after=after, limit=limit)


def hours_of(local: date, hours: range, *, known: float = 1, value: float = 1.0) -> list[Point]:
    first = (day_start(local, ZONE) - T0) / timedelta(hours=1)
    return [(first + number, known, value) for number in hours]


@pytest.mark.parametrize(("local", "length"), [(SHORT, 23), (LONG, 25), (PLAIN, 24)])
async def test_a_local_day_is_complete_with_as_many_hours_as_it_has(store: Store, local: date, length: int) -> None:
    assert hours_in_day(local, ZONE) == length
    await store.loader.load(file_load(hours_of(local, range(length - 1)), zone=ZONE))
    assert await days_of(store) == [Completeness(KEY, local, length, length - 1)]
    await store.loader.load(file_load(hours_of(local, range(length - 1, length)), zone=ZONE))
    assert await days_of(store) == [Completeness(KEY, local, length, length)]
    assert await days_of(store, only_incomplete=True) == []


async def test_a_short_day_at_a_quarter_of_an_hour_has_92_intervals(store: Store) -> None:
    await store.loader.load(file_load(hours_of(SHORT, range(23)), zone=ZONE, frequency="15min"))
    assert await days_of(store) == [Completeness(KEY, SHORT, 92, 23)]


async def test_the_days_around_are_the_nearest_on_which_a_series_has_a_value(store: Store) -> None:
    days = [PLAIN + timedelta(days=offset) for offset in (-9, -4, 3, 6)]
    first, second, third, last = days
    await store.loader.load(file_load([point for one in (first, third) for point in hours_of(one, range(2))], zone=ZONE))
    await store.loader.load(
        file_load([*hours_of(second, range(2), value=math.nan), *hours_of(last, range(1))], zone=ZONE, key=OTHER)
    )
    one, other = [(await series_named(store, key)).series_id for key in (KEY, OTHER)]
    assert await store.quality.days_around([one, other], PLAIN) == (first, third)
    assert await store.quality.days_around([one, other], third) == (first, last)
    assert await store.quality.days_around([other], PLAIN) == (None, last)
    assert await store.quality.days_around([], PLAIN) == (None, None)


async def test_a_withdrawn_value_is_missing_and_a_restored_one_is_not(store: Store) -> None:
    await store.loader.load(file_load(hours_of(PLAIN, range(24)), zone=ZONE))
    await store.loader.load(file_load(hours_of(PLAIN, range(2), known=2, value=math.nan), zone=ZONE))
    assert [entry.missing for entry in await days_of(store)] == [2]
    await store.loader.load(file_load(hours_of(PLAIN, range(2), known=3), zone=ZONE))
    assert [entry.missing for entry in await days_of(store)] == [0]


@pytest.mark.parametrize("values", [(math.nan, 1.0), (1.0, math.nan)])
async def test_of_two_values_at_one_known_time_the_one_that_stands_decides_whether_the_point_is_present(
    store: Store, values
) -> None:
    points = [point for value in values for point in hours_of(PLAIN, range(24), value=value)]
    await store.loader.load(file_load(points, zone=ZONE))
    assert [entry.present for entry in await days_of(store)] == [0]


async def test_a_point_said_twice_is_present_once(store: Store) -> None:
    points = [*hours_of(PLAIN, range(3)), *hours_of(PLAIN, range(2), known=2, value=5.0)]
    await store.loader.load(file_load(points, zone=ZONE))
    assert [entry.present for entry in await days_of(store)] == [3]


async def test_days_border_on_local_midnight(store: Store) -> None:
    await store.loader.load(file_load(hours_of(LONG, range(-1, 26)), zone=ZONE))
    assert await days_of(store) == [
        Completeness(KEY, LONG - timedelta(days=1), 24, 1),
        Completeness(KEY, LONG, 25, 25),
        Completeness(KEY, LONG + timedelta(days=1), 24, 1),
    ]


@pytest.mark.parametrize("pieces", list(itertools.permutations([range(9), range(9, 17), range(17, 23)])))
async def test_a_day_that_comes_in_pieces_is_counted_whole(store: Store, pieces: Sequence[range]) -> None:
    for position, piece in enumerate(pieces):
        await store.loader.load(file_load(hours_of(PLAIN, piece), zone=ZONE))
        assert [entry.present for entry in await days_of(store)] == [sum(len(one) for one in pieces[: position + 1])]


async def test_series_of_other_zones_and_steps_are_counted_whole_when_a_file_touches_their_day(store: Store) -> None:
    quarters: list[Point] = [(number / 4, 1, 1.0) for number in range(96)]
    kolkata = {"key": OTHER, "zone": "Asia/Kolkata", "frequency": "15min"}
    await store.loader.load(file_load(quarters, **kolkata))
    await store.loader.load(together(file_load([(12, 1, 1.0)], zone=ZONE), file_load([(12, 2, 1.0)], **kolkata)))
    assert [(entry.key, entry.expected, entry.present) for entry in await days_of(store)] == [
        (KEY, 24, 1),
        (OTHER, 96, 74),
        (OTHER, 96, 22),
    ]


@pytest.mark.parametrize("frequency", ["1d", "1mo", "irregular"])
async def test_series_without_a_fixed_step_have_nothing_to_miss(store: Store, frequency: str) -> None:
    await store.loader.load(file_load(hours_of(PLAIN, range(3)), zone=ZONE, frequency=frequency))
    assert await days_of(store) == []


async def stocked(store: Store) -> None:
    points: list[Point] = [(24 * number + 0.0, 1, 1.0) for number in range(3)]
    full: list[Point] = [(number, 1, 1.0) for number in range(24)]
    await store.loader.load(together(file_load(points), file_load(full, key=OTHER)))
    await store.loader.load(file_load(points[:1], key="other:things:C:value"))


async def test_days_are_filtered(store: Store) -> None:
    await stocked(store)
    first = T0.date()
    everything = [(KEY, first + timedelta(days=number)) for number in range(3)]
    everything += [(OTHER, first), ("other:things:C:value", first)]
    cases: list[tuple[dict[str, Any], list[tuple[str, date]]]] = [
        ({}, everything),
        ({"key": KEY}, everything[:3]),
        ({"source": "invented"}, everything[:4]),
        ({"dataset": "things"}, everything[4:]),
        ({"start": first + timedelta(days=1)}, everything[1:3]),
        ({"key": KEY, "end": first + timedelta(days=1)}, everything[:1]),
        ({"only_incomplete": True}, [*everything[:3], everything[4]]),
        ({"after": everything[2], "limit": 1}, [everything[3]]),
        ({"after": (KEY, first)}, everything[1:]),
    ]
    for filters, expected in cases:
        assert [(entry.key, entry.day) for entry in await days_of(store, **filters)] == expected, filters


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_pages_of_days_give_every_day_once(store: Store, limit: int) -> None:
    await stocked(store)
    seen: list[tuple[str, date]] = []
    while page := await days_of(store, after=seen[-1] if seen else None, limit=limit):
        seen += [(entry.key, entry.day) for entry in page]
    assert seen == sorted(set(seen))
    assert len(seen) == 5


HELD = [(2, Reason.NON_NUMERIC), (3, Reason.OUT_OF_BOUNDS), (7, Reason.NON_NUMERIC)]


async def test_a_quarantined_row_has_all_its_details(store: Store) -> None:
    file = file_load([(0, 1, 1.0)], held=HELD[:1], name="held.csv")
    outcome = await store.loader.load(file)
    assert outcome.quarantined == 1
    (row,) = await store.quality.quarantine_page(QuarantineFilter(), limit=9)
    assert row == await store.quality.quarantined_row(row.row_id)
    assert (row.file_id, row.file_name, row.digest) == (outcome.file_id, "held.csv", file.record.digest)
    assert (row.source, row.dataset) == ("invented", "numbers")
    assert (row.line, row.column, row.raw) == (2, "value", "n/a")
    assert (row.reason, row.detail, row.replayed_at) == ("non_numeric", "not a number", None)
    assert abs(row.created_at - SystemClock().now()) < timedelta(minutes=5)


async def test_an_unknown_row_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound) as caught:
        await store.quality.quarantined_row(12345)
    assert caught.value.facts == {"row_id": 12345}


async def test_quarantine_is_paged_by_id(store: Store) -> None:
    await store.loader.load(file_load([], held=HELD))
    seen: list[int] = []
    lines: list[int] = []
    while page := await store.quality.quarantine_page(QuarantineFilter(), after=seen[-1] if seen else None, limit=2):
        seen += [row.row_id for row in page]
        lines += [row.line for row in page]
    assert lines == [2, 3, 7]
    assert seen == sorted(set(seen))


async def test_quarantine_is_filtered(store: Store) -> None:
    file = file_load([], held=HELD)
    await store.loader.load(file)
    await store.loader.load(file_load([], held=[(11, Reason.NON_NUMERIC)], key="other:things:C:value"))
    cases: list[tuple[dict[str, str], list[int]]] = [
        ({}, [2, 3, 7, 11]),
        ({"source": "other"}, [11]),
        ({"dataset": "numbers"}, [2, 3, 7]),
        ({"reason": "non_numeric"}, [2, 7, 11]),
        ({"digest": file.record.digest, "reason": "out_of_bounds"}, [3]),
        ({"source": "nobody"}, []),
    ]
    for filters, lines in cases:
        assert [row.line for row in await store.quality.quarantine_page(QuarantineFilter(**filters), limit=9)] == lines, filters


async def test_rows_of_a_content_loaded_again_count_as_replayed(store: Store) -> None:
    file = file_load([(0, 1, 1.0)], held=HELD)
    await store.loader.load(file)
    await store.loader.load(file_load([], held=[(11, Reason.NON_NUMERIC)], key=OTHER))
    fixed = file_load([(0, 1, 1.0), (1, 1, 2.0)], held=HELD[:1], digest=file.record.digest)
    await store.loader.load(fixed, force=True)
    assert [row.line for row in await store.quality.quarantine_page(QuarantineFilter(), limit=9)] == [11, 2]
    everything = await store.quality.quarantine_page(QuarantineFilter(pending_only=False), limit=9)
    assert [(row.line, row.replayed_at is not None) for row in everything] == [
        (2, True),
        (3, True),
        (7, True),
        (11, False),
        (2, False),
    ]


async def test_a_load_that_does_nothing_replays_nothing(store: Store) -> None:
    file = file_load([(0, 1, 1.0)], held=HELD)
    await store.loader.load(file)
    await store.loader.load(file)
    assert len(await store.quality.quarantine_page(QuarantineFilter(), limit=9)) == 3


async def refuse(store: Store, digest: str, source: str = "invented", dataset: str = "numbers") -> int:
    return await store.loader.refuse(FileRecord("refused.csv", digest, 7, source, dataset), reason="no header")


async def test_a_file_is_recorded_with_its_counts(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.0)]))
    file = file_load([(0, 2, 2.0), (1, 2, 1.0)], held=HELD, known_at=day(4), basis=KnownAtBasis.PUBLISHED, name="b.csv")
    outcome = await store.loader.load(file)
    (entry,) = await store.files.files_of(file.record.digest)
    assert (entry.file_id, entry.digest, entry.name) == (outcome.file_id, file.record.digest, "b.csv")
    assert (entry.source, entry.dataset, entry.status, entry.reason) == ("invented", "numbers", FileStatus.APPLIED, "")
    assert (entry.known_at, entry.known_at_basis) == (day(4), KnownAtBasis.PUBLISHED)
    assert (entry.rows_read, entry.new, entry.revised, entry.unchanged, entry.quarantined) == (5, 1, 1, 0, 3)
    assert entry.seconds >= 0
    assert abs(entry.loaded_at - SystemClock().now()) < timedelta(minutes=5)


async def test_files_come_newest_first_and_in_pages(store: Store) -> None:
    first = (await store.loader.load(file_load([(0, 1, 1.0)]))).file_id
    second = await refuse(store, "aa")
    third = (await store.loader.load(file_load([(1, 1, 1.0)]))).file_id
    cases: list[tuple[str | None, int | None, int, list[int]]] = [
        (None, None, 9, [third, second, first]),
        (None, None, 2, [third, second]),
        (None, second, 2, [first]),
        ("applied", None, 9, [third, first]),
        ("refused", None, 9, [second]),
        ("refused", second, 9, []),
    ]
    for status, before, limit, expected in cases:
        page = await store.files.files_page(FileFilter(status=status), before=before, limit=limit)
        assert [entry.file_id for entry in page] == expected


async def test_files_are_found_by_where_they_are_from(store: Store) -> None:
    ours = await refuse(store, "aa")
    others = await refuse(store, "bb", source="other")
    prices = await refuse(store, "cc", source="other", dataset="prices")
    cases: list[tuple[str | None, str | None, list[int]]] = [
        (None, None, [prices, others, ours]),
        ("other", None, [prices, others]),
        ("other", "numbers", [others]),
        (None, "numbers", [others, ours]),
        ("nobody", None, []),
    ]
    for source, dataset, expected in cases:
        page = await store.files.files_page(FileFilter(source=source, dataset=dataset), before=None, limit=9)
        assert [entry.file_id for entry in page] == expected


async def test_files_since_an_instant_include_those_of_that_instant(store: Store) -> None:
    only = await refuse(store, "aa")
    (newest,) = await store.files.files_page(FileFilter(), before=None, limit=1)
    cases = [(newest.loaded_at, [only]), (newest.loaded_at + timedelta(microseconds=1), [])]
    for since, expected in cases:
        page = await store.files.files_page(FileFilter(since=since), before=None, limit=9)
        assert [entry.file_id for entry in page] == expected


async def test_a_content_that_was_never_offered_has_no_records(store: Store) -> None:
    assert await store.files.files_of("00") == []


async def test_a_dataset_has_a_state(store: Store) -> None:
    await store.catalog_writer.declare(
        sources=[SourceEntry("invented", "Invented", "https://invented.example")],
        datasets=[DatasetEntry("invented", "numbers", "Numbers", "UTC", "1h", (), freshness_hours=12)],
        blocks=[],
    )
    await store.loader.load(together(file_load([(0, 1, 1.0), (1, 1, 1.0)], held=HELD), file_load([(30, 1, 1.0)], key=OTHER)))
    await refuse(store, "aa")
    await refuse(store, "bb", dataset="unheard")
    await refuse(store, "cc", source="other")
    newest = await series_named(store, OTHER)
    states = await store.quality.datasets_quality(now=hour(42))
    assert [(state.source, state.dataset) for state in states] == [
        ("invented", "numbers"),
        ("invented", "unheard"),
        ("other", "numbers"),
    ]
    assert states[0] == DatasetQuality(
        source="invented",
        dataset="numbers",
        series=2,
        newest_ts=hour(30),
        last_loaded_at=newest.updated_at,
        age_hours=12.0,
        stale=False,
        incomplete_days=2,
        missing_intervals=22 + 23,
        quarantined=3,
        refused_files=1,
        reasons={"non_numeric": 2, "out_of_bounds": 1},
    )
    assert states[1] == DatasetQuality("invented", "unheard", 0, None, None, None, None, 0, 0, 0, 1, {})
    assert [state.stale for state in await store.quality.datasets_quality(now=hour(42.5), source="invented")] == [True, None]


async def test_an_undeclared_dataset_is_neither_fresh_nor_stale(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.0)]))
    (state,) = await store.quality.datasets_quality(now=hour(9999))
    assert (state.age_hours, state.stale) == (9999.0, None)
