"""Loads: each file is stored whole or not at all, once, and counted."""

import asyncio
import math
from dataclasses import replace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from aurum.core.asof import Span
from aurum.core.calendars import BusinessDays
from aurum.core.catalog import Fuel, Kind, MarketRun
from aurum.core.catalog.entries import FileStatus, KnownAtBasis
from aurum.core.catalog.quality import Quality, Reason
from aurum.core.errors import Conflict
from aurum.core.frames import FrameMismatch
from aurum.storage.ports.access import Actor
from aurum.storage.ports.catalog import SeriesFilter
from aurum.storage.ports.files import LoadOutcome, LoadRequest
from aurum.storage.ports.quality import QuarantineFilter
from aurum.storage.testing.builders import KEY, day, file_load, hour, together
from aurum.storage.testing.stores import Store, series_named

OTHER = "invented:numbers:B:value"


def counts(outcome: LoadOutcome) -> tuple[int, int, int]:
    return outcome.new, outcome.revised, outcome.unchanged


async def test_new_revised_and_unchanged_observations_are_counted(store: Store) -> None:
    first = await store.loader.load(file_load([(0, 1, 1.0), (1, 1, 2.0), (2, 1, 3.0)]))
    second = await store.loader.load(file_load([(0, 2, 1.0), (1, 2, 2.5), (3, 2, 4.0)]))
    assert counts(first) == (3, 0, 0)
    assert counts(second) == (1, 1, 1)


async def test_each_known_time_of_a_point_counts_by_what_it_does(store: Store) -> None:
    outcome = await store.loader.load(file_load([(0, 3, 2.0), (0, 1, 1.0), (0, 2, 1.0), (0, 3, 1.5), (0, 3, 2.0)]))
    assert counts(outcome) == (1, 1, 3)


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        ((0, 2, 1.0), (0, 0, 1)),
        ((0, 2, 5.0), (0, 1, 0)),
        ((0, 0, 1.0), (0, 1, 0)),
        ((0, 1, 0.5), (0, 0, 1)),
        ((0, 3, 2.5), (0, 1, 0)),
    ],
)
async def test_a_late_publication_counts_as_a_revision_when_it_changes_an_answer(store: Store, late, expected) -> None:
    await store.loader.load(file_load([(0, 1, 1.0), (0, 3, 2.0)]))
    before = (await series_named(store, KEY)).version
    assert counts(await store.loader.load(file_load([late]))) == expected
    assert (await series_named(store, KEY)).version == before + expected[1]


async def test_a_content_is_loaded_once(store: Store) -> None:
    file = file_load([(0, 1, 1.0)])
    first = await store.loader.load(file)
    again = await store.loader.load(replace(file, record=replace(file.record, name="same content, other name.csv")))
    assert again == LoadOutcome(first.file_id, 0, 0, 0, 0, already_loaded=True)
    assert len(await store.files.files_of(file.record.digest)) == 1


async def test_the_record_of_a_file_says_how_it_was_read_and_who_sent_it(store: Store) -> None:
    file = file_load([(0, 1, 1.0)])
    read = {"format": "invented CSV", "parser_version": "2", "release": "0.1.0", "archive": "month.zip"}
    request = LoadRequest(Actor("key:7"), "invented.store", KEY)
    await store.loader.load(replace(file, record=replace(file.record, **read), request=request))
    (entry,) = await store.files.files_of(file.record.digest)
    assert {name: getattr(entry, name) for name in read} == read
    assert (entry.size, entry.sent_by) == (file.record.size, "key:7")


async def test_what_is_not_recorded_of_a_file_is_empty(store: Store) -> None:
    file = file_load([(0, 1, 1.0)])
    await store.loader.load(file)
    (entry,) = await store.files.applied(file.record.digest)
    assert (entry.format, entry.parser_version, entry.release, entry.archive, entry.sent_by) == ("", "", "", "", "")


async def test_a_content_loaded_by_force_is_recorded_again_and_changes_nothing(store: Store) -> None:
    file = file_load([(0, 1, 1.0), (1, 1, 2.0)])
    first = await store.loader.load(file)
    before = await series_named(store, KEY)
    forced = await store.loader.load(file, force=True)
    assert counts(forced) == (0, 0, 2)
    assert forced.changed_series == ()
    assert forced.file_id > first.file_id
    assert await series_named(store, KEY) == before
    assert [entry.file_id for entry in await store.files.files_of(file.record.digest)] == [first.file_id, forced.file_id]


async def test_force_keeps_the_first_moment_of_loading(store: Store) -> None:
    file = file_load([(0, None, 1.0)], basis=KnownAtBasis.INGESTED)
    await store.loader.load(file)
    series = await series_named(store, KEY)
    before = await store.reader.revisions(series.series_id, span=Span())
    assert counts(await store.loader.load(file, force=True)) == (0, 0, 1)
    assert_frame_equal(await store.reader.revisions(series.series_id, span=Span()), before)
    first, forced = await store.files.files_of(file.record.digest)
    assert first.known_at == forced.known_at == before["known_at"].item()


async def test_force_keeps_the_first_moment_of_loading_even_after_a_revision(store: Store) -> None:
    file = file_load([(0, None, 1.0)], basis=KnownAtBasis.INGESTED)
    await store.loader.load(file)
    await store.loader.load(file_load([(0, None, 2.0)], basis=KnownAtBasis.INGESTED))
    await store.loader.load(file, force=True)
    series = await series_named(store, KEY)
    assert (await store.reader.observations(series.series_id, span=Span()))["value"].to_list() == [2.0]
    assert (await store.reader.revisions(series.series_id, span=Span()))["value"].to_list() == [1.0, 2.0]


async def test_a_content_with_another_known_time_that_an_operator_states_is_loaded_again(store: Store) -> None:
    basis = KnownAtBasis.STATED
    file = file_load([(0, None, 1.0)], basis=basis, known_at=day(5))
    await store.loader.load(file)
    assert (await store.loader.load(file)).already_loaded
    earlier = replace(file, record=replace(file.record, known_at=day(3)))
    assert await store.loader.already_loaded(file.record.digest, basis=basis, known_at=day(3)) is None
    assert counts(await store.loader.load(earlier)) == (0, 1, 0)
    assert (await store.loader.load(earlier)).already_loaded
    series = await series_named(store, KEY)
    assert (await store.reader.revisions(series.series_id, span=Span()))["known_at"].to_list() == [day(3)]


async def test_a_content_known_by_its_file_is_not_loaded_again_for_its_moment_of_loading(store: Store) -> None:
    file = file_load([(0, 1, 1.0)])
    await store.loader.load(file)
    ingested = replace(file, record=replace(file.record, known_at=None, known_at_basis=KnownAtBasis.INGESTED))
    assert (await store.loader.load(ingested)).already_loaded


async def test_already_loaded_foretells_what_load_answers(store: Store) -> None:
    file = file_load([(0, 1, 1.0)])
    assert await store.loader.already_loaded(file.record.digest) is None
    await store.loader.load(file)
    foretold = await store.loader.already_loaded(file.record.digest)
    assert foretold is not None
    assert foretold == await store.loader.load(file)
    assert await store.loader.already_loaded(file.record.digest, basis=KnownAtBasis.PUBLISHED) == foretold
    assert await store.loader.already_loaded(file.record.digest, basis=KnownAtBasis.STATED, known_at=day(1)) is None


async def test_a_refused_content_may_be_loaded_later(store: Store) -> None:
    file = file_load([(0, 1, 1.0)])
    refused = await store.loader.refuse(file.record, reason="no header")
    assert await store.loader.already_loaded(file.record.digest) is None
    outcome = await store.loader.load(file)
    assert not outcome.already_loaded
    entries = await store.files.files_of(file.record.digest)
    assert [(entry.file_id, entry.status, entry.reason) for entry in entries] == [
        (refused, FileStatus.REFUSED, "no header"),
        (outcome.file_id, FileStatus.APPLIED, ""),
    ]


@pytest.mark.parametrize("other", [{"unit": "MWh"}, {"frequency": "15min"}])
async def test_a_load_in_another_unit_or_frequency_stores_nothing(store: Store, other: dict[str, str]) -> None:
    await store.loader.load(file_load([(0, 1, 1.0)], held=[(2, Reason.NON_NUMERIC)]))
    before = await series_named(store, KEY)
    observations = await store.reader.revisions(before.series_id, span=Span())
    conflicting = together(
        file_load([(0, 2, 5.0), (30, 2, 5.0)], key="invented:numbers:AA:value"),
        file_load([(0, 2, 2.0)], held=[(9, Reason.NON_NUMERIC)], **other),
        file_load([(0, 2, 5.0)], key=OTHER),
    )
    with pytest.raises(Conflict) as caught:
        await store.loader.load(conflicting)
    assert caught.value.facts == {
        "key": KEY,
        "stored": {"unit": "MW", "frequency": "1h"}[next(iter(other))],
        "given": next(iter(other.values())),
    }
    assert await store.catalog.series_page(SeriesFilter(), after=None, limit=9) == [before]
    assert_frame_equal(await store.reader.revisions(before.series_id, span=Span()), observations)
    assert [row.line for row in await store.quality.quarantine_page(QuarantineFilter(), limit=9)] == [2]
    assert await store.files.files_of(conflicting.record.digest) == []
    assert await store.loader.already_loaded(conflicting.record.digest) is None


async def test_a_frame_of_another_schema_is_refused_before_anything_is_stored(store: Store) -> None:
    file = file_load([(0, 1, 1.0)])
    with pytest.raises(FrameMismatch):
        await store.loader.load(replace(file, parts=[replace(file.parts[0], rows=file.parts[0].rows.drop("version"))]))
    assert await store.catalog.series_page(SeriesFilter(), after=None, limit=9) == []


async def test_the_version_rises_with_each_load_that_changes_the_series_and_with_no_other(store: Store) -> None:
    await store.loader.load(together(file_load([(0, 1, 1.0)]), file_load([(0, 1, 1.0)], key=OTHER)))
    assert (await series_named(store, KEY)).version == 1
    outcome = await store.loader.load(together(file_load([(0, 2, 2.0), (5, 2, 2.0)]), file_load([(0, 2, 1.0)], key=OTHER)))
    changed, unchanged = await series_named(store, KEY), await series_named(store, OTHER)
    assert (changed.version, unchanged.version) == (2, 1)
    assert outcome.changed_series == (changed.series_id,)


async def test_a_series_knows_its_ends_and_the_moment_of_its_last_change(store: Store) -> None:
    await store.loader.load(file_load([(5, 1, 1.0)]))
    first = await series_named(store, KEY)
    assert (first.first_ts, first.last_ts) == (hour(5), hour(5))
    await store.loader.load(file_load([(2, 2, 1.0), (9, 2, math.nan)]))
    second = await series_named(store, KEY)
    assert (second.first_ts, second.last_ts) == (hour(2), hour(9))
    assert first.updated_at is not None
    assert second.updated_at is not None
    assert first.updated_at < second.updated_at


async def test_a_file_without_observations_makes_its_series_and_changes_no_version(store: Store) -> None:
    outcome = await store.loader.load(file_load([]))
    series = await series_named(store, KEY)
    assert counts(outcome) == (0, 0, 0)
    assert (series.version, series.first_ts, series.updated_at) == (0, None, None)


async def test_a_file_without_series_is_recorded(store: Store) -> None:
    empty = file_load([])
    outcome = await store.loader.load(replace(empty, parts=[replace(empty.parts[0], series=empty.parts[0].series.clear())]))
    assert [entry.file_id for entry in await store.files.files_of(empty.record.digest)] == [outcome.file_id]
    assert await store.catalog.series_page(SeriesFilter(), after=None, limit=9) == []


async def test_descriptions_follow_the_newest_load(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.0)], location_name="Old", labels={"fuel": "gas"}))
    before = await series_named(store, KEY)
    await store.loader.load(file_load([(0, 1, 1.0)], location_name="New", location_type="hub", labels={}, market="INV"))
    after = await series_named(store, KEY)
    assert before.spec.labels == {"fuel": "gas"}
    assert (after.spec.location_name, after.spec.location_type, after.spec.market) == ("New", "hub", "INV")
    assert after.spec.labels == {}
    assert after.version == before.version + 1, "an answer that shows the description is another one now"
    await store.loader.load(file_load([(0, 1, 1.0)], location_name="New", location_type="hub", labels={}, market="INV"))
    assert (await series_named(store, KEY)).version == after.version


async def test_the_calendar_of_business_days_is_part_of_the_description(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.0)], frequency="1d"))
    before = await series_named(store, KEY)
    await store.loader.load(file_load([(0, 1, 1.0)], frequency="1d", business_days="TARGET"))
    after = await series_named(store, KEY)
    assert (before.spec.business_days, after.spec.business_days) == (None, BusinessDays.TARGET)
    assert after.version == before.version + 1
    (listed,) = await store.catalog.series_page(SeriesFilter(), after=None, limit=9)
    assert listed == after


async def test_a_fuel_that_is_mapped_later_replaces_the_stored_one(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.0)], kind="generation", fuel="unmapped"))
    before = await series_named(store, KEY)
    mapped = {"kind": "generation", "market_run": "real_time", "fuel": "solar", "fuel_detail": "solar_pv"}
    await store.loader.load(file_load([(0, 1, 1.0)], **mapped))
    after = await series_named(store, KEY)
    assert (before.spec.kind, before.spec.fuel) == (Kind.GENERATION, Fuel.UNMAPPED)
    assert (after.spec.market_run, after.spec.fuel, after.spec.fuel_detail) == (MarketRun.REAL_TIME, Fuel.SOLAR, "solar_pv")
    assert after.version == before.version + 1, "a list that shows the fuel is another one now"
    await store.loader.load(file_load([(0, 1, 1.0), (1, 1, 1.0)], **mapped))
    assert (await series_named(store, KEY)).version == after.version + 1, "of the new point"


async def test_labels_in_another_order_are_the_same_description(store: Store) -> None:
    for labels in ({"longer": "1", "a": "2"}, {"a": "2", "longer": "1"}, {"longer": "1", "a": "2"}):
        await store.loader.load(file_load([(0, 1, 1.0)], labels=labels), force=True)
    assert (await series_named(store, KEY)).version == 1


async def test_a_content_loaded_twice_at_once_is_loaded_once(store: Store) -> None:
    file = file_load([(0, 1, 1.0)])
    outcomes = await asyncio.gather(*(store.loader.load(file) for _ in range(3)))
    assert sorted(outcome.already_loaded for outcome in outcomes) == [False, True, True]


async def test_two_parts_store_their_series_in_one_load(store: Store) -> None:
    one = file_load([(0, 1, 1.0)])
    part = one.parts[0]
    other = replace(part, series=part.series.with_columns(pl.lit("inv:prices:b:price").alias("key"), location=pl.lit("b")))
    outcome = await store.loader.load(replace(one, parts=[part, other]))
    assert counts(outcome) == (2, 0, 0)
    assert len(outcome.changed_series) == 2


async def test_two_parts_that_name_one_series_are_refused_before_anything_is_stored(store: Store) -> None:
    one = file_load([(0, 1, 1.0)])
    with pytest.raises(ValueError, match="two parts of a file name the series"):
        await store.loader.load(replace(one, parts=[one.parts[0], one.parts[0]]))
    assert await store.files.files_of(one.record.digest) == []


async def test_a_later_publication_withdraws_a_value_and_none_that_is_not_there(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.0), (1, 1, 2.0)]))
    withdrawn = int(Quality.WITHDRAWN)
    outcome = await store.loader.load(file_load([(0, 2, math.nan, withdrawn), (1, 2, 2.0), (2, 2, math.nan, withdrawn)]))
    assert counts(outcome) == (0, 1, 2)
    series = await series_named(store, KEY)
    frame = await store.reader.observations(series.series_id, span=Span())
    assert frame["quality"].to_list() == [withdrawn, 0]
    assert (await store.reader.observations(series.series_id, span=Span(), as_of=day(1)))["value"].to_list() == [1.0, 2.0]
