"""The test kit: a service that needs no server."""

from __future__ import annotations

from datetime import UTC, datetime

from aurum.api.testing import InMemory, file_of, hourly, serving
from aurum.common.clock import SystemClock
from aurum.common.settings import Settings
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.changes import Change, ChangeKind

KEY = "nyiso:damlbmp_zone:61761:lmp"
START = datetime(2025, 11, 2, 4, tzinfo=UTC)


async def test_a_service_over_memory_answers_and_forgets() -> None:
    store = MemoryStore(SystemClock())
    await store.loader.load(file_of(hourly(KEY, START, [30.0, 31.5])))
    provider = InMemory(store)
    async with serving(Settings(), provider) as served:
        url = f"/v2/series/{KEY}/observations"
        answers = [await served.client.get(url) for _ in range(2)]
        assert [[row["value"] for row in one.json()["data"]] for one in answers] == [[30.0, 31.5]] * 2
        assert answers[1].headers["x-cache"] == "hit"
        load = file_of(hourly(KEY, START, [30.0, 40.0], known_at=datetime(2025, 6, 1, tzinfo=UTC)), content="2")
        outcome = await store.loader.load(load)
        await provider.feed.publish(Change(ChangeKind.SERIES, tuple(map(str, outcome.changed_series))))
        assert [row["value"] for row in (await served.client.get(url)).json()["data"]] == [30.0, 40.0]
