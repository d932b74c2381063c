"""Calendars, the hours of their blocks, and models by name."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from aurum.core.calendars import Block, Window, default_blocks
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.services.catalog import blocks, calendars, expand_block, model_named
from aurum.storage.ports.models import ModelEntry, ModelRun, NodeKind, NodeResult, NodeStatus
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
