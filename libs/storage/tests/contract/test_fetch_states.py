"""The last successful fetch of each dataset."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from aurum.core.catalog.entries import DatasetEntry, SourceEntry
from aurum.storage.ports.fetch import FetchState
from aurum.storage.testing.stores import Store

NOON = datetime(2025, 11, 2, 12, tzinfo=UTC)
STATE = FetchState("nyiso", "pal", NOON, "https://mis.nyiso.com/public/csv/pal/20251102pal.csv", '"1"', "", "ab" * 32)


async def test_a_dataset_that_was_never_fetched_has_no_state(store: Store) -> None:
    assert await store.fetches.state("nyiso", "pal") is None
    assert list(await store.fetches.states()) == []


async def test_a_later_fetch_replaces_an_earlier_one(store: Store) -> None:
    later = replace(STATE, fetched_at=NOON + timedelta(hours=1), etag='"2"')
    await store.fetches.record(STATE)
    await store.fetches.record(later)
    await store.fetches.record(replace(STATE, etag='"late"'))
    assert await store.fetches.state("nyiso", "pal") == later


async def test_states_are_listed_by_source_and_dataset(store: Store) -> None:
    for source, dataset in (("pjm", "inst_load"), ("nyiso", "pal"), ("nyiso", "isolf")):
        await store.fetches.record(replace(STATE, source=source, dataset=dataset))
    assert [(state.source, state.dataset) for state in await store.fetches.states()] == [
        ("nyiso", "isolf"),
        ("nyiso", "pal"),
        ("pjm", "inst_load"),
    ]


async def test_the_catalog_shows_how_a_dataset_is_fetched_and_since_when_it_has_worked(store: Store) -> None:
    declared = {"granularity": "day", "needs": None, "manual": "A manual"}
    entries = [
        DatasetEntry("nyiso", name, name, "America/New_York", "5min", (), fetch=fetch)
        for name, fetch in (("pal", declared), ("other", None))
    ]
    await store.catalog_writer.declare(sources=[SourceEntry("nyiso", "NYISO", "")], datasets=entries, blocks=[])
    await store.fetches.record(STATE)
    shown = {entry.name: (entry.fetch, entry.fetched_at) for entry in await store.catalog.datasets(source="nyiso")}
    assert shown == {"pal": (declared, NOON), "other": (None, None)}
