"""How datasets are fetched, in the catalog: what a file holds, the key it needs, and whether an address has worked."""

from __future__ import annotations

from datetime import UTC, datetime

from aurum.api.testing import InMemory, serving
from aurum.common.clock import SystemClock
from aurum.common.settings import Settings
from aurum.core.catalog.entries import DatasetEntry, SourceEntry
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.fetch import FetchState

QUERY = {"granularity": "query", "needs": "pjm", "manual": "PJM, Data Miner API Guide"}


async def test_a_dataset_shows_how_it_is_fetched_and_whether_its_addresses_have_worked() -> None:
    store = MemoryStore(SystemClock())
    entries = [
        DatasetEntry("pjm", name, name, "America/New_York", "1h", (), fetch=fetch)
        for name, fetch in (("solar_gen", QUERY), ("wind_gen", QUERY), ("pjme_hourly", None))
    ]
    await store.catalog_writer.declare(sources=[SourceEntry("pjm", "PJM", "")], datasets=entries, blocks=[])
    await store.fetches.record(
        FetchState(
            "pjm", "wind_gen", datetime(2025, 11, 2, tzinfo=UTC), "https://api.pjm.com/api/v1/wind_gen", "", "", "ab" * 32
        )
    )
    async with serving(Settings(), InMemory(store)) as served:
        listed = (await served.client.get("/v2/catalog/datasets")).json()["data"]
    assert {one["name"]: one["fetch"] for one in listed} == {
        "pjme_hourly": None,
        "solar_gen": {**QUERY, "state": "unproven"},
        "wind_gen": {**QUERY, "state": "proven"},
    }
