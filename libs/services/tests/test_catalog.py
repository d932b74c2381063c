"""Questions about the catalog: calendars, locations, series, sources, datasets, dimensions, models."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from aurum.core.calendars import Block, Window, default_blocks
from aurum.core.catalog.entries import DatasetEntry, SourceEntry
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.core.series.model import Series
from aurum.services.catalog import (
    NoSuchLocation,
    block_counts,
    blocks,
    calendar_blocks,
    calendars,
    each_series,
    expand_block,
    has_prefix,
    location_of,
    market_locations,
    model_named,
    providers,
    series_by_location,
    series_counts,
    source_dataset,
    source_datasets,
)
from aurum.storage.ports.catalog import SeriesFilter
from aurum.storage.ports.models import ModelEntry, ModelRun, NodeKind, NodeResult, NodeStatus
from aurum.storage.testing.builders import T0, file_load
from aurum.storage.testing.stores import Store

EVENING = Block("HOME", "EVENING", "America/New_York", (Window(hours=(18, 19, 20)),), aliases=("after work",))
NIGHT = Block("HOME", "NIGHT", "America/New_York", (Window(hours=(1, 2, 3)),))
FALL_DAY, DAY_AFTER = date(2025, 11, 2), date(2025, 11, 3)


async def with_blocks(store: Store, *declared: Block) -> Store:
    await store.catalog_writer.declare(sources=[], datasets=[], blocks=[block.to_document() for block in declared])
    return store


async def test_blocks_are_those_that_were_declared_by_calendar_and_name(store: Store) -> None:
    await with_blocks(store, NIGHT, *default_blocks(), EVENING)
    stored = await blocks(store.catalog)
    assert stored == sorted([*default_blocks(), EVENING, NIGHT], key=lambda block: (block.calendar, block.name))
    by_calendar = await calendars(store.catalog)
    assert list(by_calendar) == sorted({block.calendar for block in stored})
    assert by_calendar["HOME"] == [EVENING, NIGHT]


async def test_a_store_without_blocks_has_no_calendar(store: Store) -> None:
    assert await blocks(store.catalog) == []
    assert await calendars(store.catalog) == {}
    with pytest.raises(UnknownName):
        await expand_block(store.catalog, "PJM", "ON_PEAK", start=FALL_DAY, end=DAY_AFTER)


@pytest.mark.parametrize("name", ["EVENING", "evening", "After-Work"])
async def test_a_block_is_found_by_its_name_or_an_alias(store: Store, name: str) -> None:
    await with_blocks(store, EVENING, NIGHT)
    expansion = await expand_block(store.catalog, "HOME", name, start=FALL_DAY, end=DAY_AFTER)
    assert expansion.block == EVENING
    assert expansion.hours["ts"].to_list() == [
        datetime(2025, 11, 2, 22, tzinfo=UTC),
        datetime(2025, 11, 2, 23, tzinfo=UTC),
        datetime(2025, 11, 3, 0, tzinfo=UTC),
    ]
    assert expansion.hours["day"].to_list() == [FALL_DAY] * 3
    assert expansion.hours["hour_ending"].to_list() == [18, 19, 20]


async def test_the_repeated_hour_of_the_fall_day_belongs_to_a_block_twice(store: Store) -> None:
    await with_blocks(store, EVENING, NIGHT)
    expansion = await expand_block(store.catalog, "HOME", "NIGHT", start=FALL_DAY, end=DAY_AFTER)
    assert expansion.hours["hour_ending"].to_list() == [1, 2, 2, 3]
    assert expansion.hours["ts"].n_unique() == 4


async def test_a_span_without_days_has_no_hours(store: Store) -> None:
    await with_blocks(store, EVENING)
    expansion = await expand_block(store.catalog, "HOME", "EVENING", start=FALL_DAY, end=FALL_DAY)
    assert expansion.hours.is_empty()


async def test_unknown_calendars_and_blocks_are_refused_with_the_nearest_names(store: Store) -> None:
    await with_blocks(store, *default_blocks(), EVENING)
    with pytest.raises(UnknownName) as caught:
        await expand_block(store.catalog, "HOMES", "EVENING", start=FALL_DAY, end=DAY_AFTER)
    assert (caught.value.kind, caught.value.nearest[0]) == ("calendar", "HOME")
    with pytest.raises(UnknownName) as caught:
        await expand_block(store.catalog, "HOME", "EVENINGS", start=FALL_DAY, end=DAY_AFTER)
    assert (caught.value.name, caught.value.nearest[0]) == ("EVENINGS", "EVENING")
    with pytest.raises(UnknownName) as caught:
        await expand_block(store.catalog, "zzzz", "EVENING", start=FALL_DAY, end=DAY_AFTER)
    assert "HOME" in caught.value.nearest


@pytest.mark.parametrize(
    ("start", "end", "field", "value"),
    [
        (date(2025, 1, 2), date(2025, 1, 1), "start", "2025-01-02"),
        (date(2020, 1, 1), date(2023, 1, 5), "end", "2023-01-05"),
        (date(1899, 12, 31), date(1900, 1, 2), "start", "1899-12-31"),
        (date(2199, 12, 31), date(2200, 1, 2), "end", "2200-01-02"),
    ],
)
async def test_a_span_that_cannot_be_is_refused_and_names_the_end_that_is_wrong(
    store: Store, start: date, end: date, field: str, value: str
) -> None:
    await with_blocks(store, EVENING)
    with pytest.raises(InvalidParameters) as caught:
        await expand_block(store.catalog, "HOME", "EVENING", start=start, end=end)
    (error,) = caught.value.facts["errors"]
    assert (error["field"], error["value"]) == (field, value)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(1900, 1, 1), date(1900, 1, 2)),
        (date(2199, 12, 31), date(2200, 1, 1)),
        (date(2020, 1, 1), date(2023, 1, 3)),
    ],
)
async def test_the_longest_span_and_the_first_and_last_days_are_answered(store: Store, start: date, end: date) -> None:
    await with_blocks(store, EVENING)
    expansion = await expand_block(store.catalog, "HOME", "EVENING", start=start, end=end)
    assert expansion.hours["day"].n_unique() == (end - start).days


async def test_a_model_is_found_by_name_and_an_unknown_one_is_refused_with_the_nearest(store: Store) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    entry = ModelEntry("daily_prices", "marts", "Prices", "table", "marts.daily_prices", (), ("store.series",), (), ())
    built = NodeResult("daily_prices", NodeKind.MODEL, "daily_prices", NodeStatus.OK, 0.5)
    await store.model_log.record(ModelRun("run-1", "build", "duckdb", "marts", at, 1.0, True, results=(built,)), [entry])
    state = await model_named(store.model_log, "daily_prices")
    assert state.entry == entry
    assert state.built is not None
    assert (state.built.at, state.built.result) == (at, built)
    with pytest.raises(UnknownName) as caught:
        await model_named(store.model_log, "daily_price")
    assert (caught.value.kind, caught.value.nearest) == ("model", ("daily_prices",))


async def with_prices(store: Store) -> Store:
    """Two zones and a hub of NYISO, a hub of CAISO, and a rate that belongs to no market."""
    for key, market, name, kind in (
        ("caiso:prices:TH_NP15:lmp", "CAISO", "NP15", "hub"),
        ("nyiso:prices:61752:lmp", "NYISO", "West", "zone"),
        ("nyiso:prices:61761:energy", "NYISO", "N.Y.C.", "zone"),
        ("nyiso:prices:61761:lmp", "NYISO", "N.Y.C.", "zone"),
        ("ecb:rates:EURUSD:rate", None, "", ""),
    ):
        await store.loader.load(file_load([(0, 0, 1.0)], key=key, market=market, location_name=name, location_type=kind))
    sources = [SourceEntry(name, name.upper(), f"https://{name}.example") for name in ("caiso", "nyiso", "ecb")]
    datasets = [
        DatasetEntry("nyiso", "prices", "Prices", "America/New_York", "1h", (), "NYISO"),
        DatasetEntry("ecb", "rates", "Rates", "Europe/Brussels", "1d", ()),
        DatasetEntry("ecb", "old_rates", "Old rates", "Europe/Brussels", "1d", ()),
    ]
    await store.catalog_writer.declare(sources=sources, datasets=datasets, blocks=[])
    return store


@pytest.mark.parametrize(
    ("market", "prefix", "expected"),
    [
        (None, None, ["TH_NP15", "61752", "61761"]),
        ("NYISO", None, ["61752", "61761"]),
        (None, "n", ["TH_NP15", "61761"]),
        (None, "61", ["61752", "61761"]),
        (None, "Y", []),
    ],
)
async def test_locations_of_markets_are_found_by_the_beginning_of_id_or_name(
    store: Store, market: str | None, prefix: str | None, expected: list[str]
) -> None:
    await with_prices(store)
    entries = await market_locations(store.catalog, market=market, prefix=prefix, after=None, limit=10)
    assert [entry.location for entry in entries] == expected


async def test_a_page_of_locations_begins_behind_the_last_one(store: Store) -> None:
    await with_prices(store)
    first = await market_locations(store.catalog, market=None, prefix=None, after=None, limit=1)
    rest = await market_locations(store.catalog, market=None, prefix=None, after=(first[0].source, first[0].location), limit=10)
    assert [entry.location for entry in (*first, *rest)] == ["TH_NP15", "61752", "61761"]


async def test_one_location_is_found_by_its_market_in_any_case_and_its_own_id(store: Store) -> None:
    await with_prices(store)
    entry = await location_of(store.catalog, "nyiso", "61761")
    assert (entry.name, entry.market, entry.series) == ("N.Y.C.", "NYISO", 2)


@pytest.mark.parametrize(("market", "location"), [("NYISO", "6176"), ("CAISO", "61761"), ("nowhere", "61761")])
async def test_a_location_that_a_market_does_not_have_is_refused(store: Store, market: str, location: str) -> None:
    await with_prices(store)
    with pytest.raises(NoSuchLocation) as caught:
        await location_of(store.catalog, market, location)
    assert caught.value.facts == {"market": market, "location": location}


async def test_series_are_counted_by_location_source_and_market(store: Store) -> None:
    await with_prices(store)
    assert await series_by_location(store.catalog, prefix="61", enough=10) == {"61752": 1, "61761": 2}
    assert await series_counts(store.catalog, ["source", "market"]) == {
        "source": {"caiso": 1, "ecb": 1, "nyiso": 3},
        "market": {"CAISO": 1, "NYISO": 3},
    }
    assert await series_counts(store.catalog, []) == {}


async def test_blocks_are_counted_by_the_calendars_that_have_them(store: Store) -> None:
    await with_blocks(store, EVENING, NIGHT, Block("AWAY", "NIGHT", "UTC", (Window(hours=(1,)),)))
    assert await block_counts(store.catalog) == {"EVENING": 1, "NIGHT": 2}
    assert await calendar_blocks(store.catalog, "HOME") == [EVENING, NIGHT]
    with pytest.raises(UnknownName) as caught:
        await calendar_blocks(store.catalog, "HOMES")
    assert caught.value.nearest == ("HOME",)


async def test_each_series_comes_once_by_key_from_a_key_on(store: Store) -> None:
    await with_prices(store)

    def is_price(series: Series) -> bool:
        return series.key.measure in ("lmp", "rate")

    async def keys(*criteria: SeriesFilter, start: str | None = None) -> list[str]:
        return [str(series.key) async for series in each_series(store.catalog, criteria, is_price, start=start)]

    every = ["caiso:prices:TH_NP15:lmp", "ecb:rates:EURUSD:rate", "nyiso:prices:61752:lmp", "nyiso:prices:61761:lmp"]
    criteria = [SeriesFilter("caiso", "prices"), SeriesFilter("ecb"), SeriesFilter("nyiso", "prices")]
    assert await keys(*criteria) == every
    for place, key in enumerate(every):
        assert await keys(*criteria, start=key) == every[place:]
    assert await keys(*criteria, start="nyiso:prices:61753:lmp") == every[3:]


async def test_providers_are_the_sources_with_a_dataset_of_no_market(store: Store) -> None:
    await with_prices(store)
    assert [source.name for source in await providers(store.catalog)] == ["ecb"]


async def test_datasets_of_a_source_tell_how_far_they_reach(store: Store) -> None:
    await with_prices(store)
    catalog, quality = store.catalog, store.quality
    reaches = await source_datasets(catalog, quality, "ecb", now=T0)
    assert [(reach.entry.name, reach.newest_ts) for reach in reaches] == [("old_rates", None), ("rates", T0)]
    assert await source_dataset(catalog, quality, "ecb", "rates", now=T0) == reaches[1]
    with pytest.raises(UnknownName) as caught:
        await source_dataset(catalog, quality, "ecb", "rate", now=T0)
    assert caught.value.nearest[0] == "rates"


def test_a_prefix_is_compared_in_any_case() -> None:
    assert has_prefix("N.Y.C.", "n.y")
    assert has_prefix("N.Y.C.", None)
    assert not has_prefix("N.Y.C.", "Y")
