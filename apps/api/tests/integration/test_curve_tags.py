"""Entity tags of curves and of their reference data change with all that an answer depends on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest
import pytest_asyncio
from api_curves import BASE, Desks, serving_desks

from aurum.api.testing import MovableClock
from aurum.common.clock import SystemClock
from aurum.storage.memory import MemoryStore
from aurum.storage.memory.curves import MemoryCurveReader

SHAPE = {"name": "flat", "mean": 50.0, "means": [[[50.0] * 24] * 3]}


@pytest.fixture
def clock() -> MovableClock:
    # What was stored before a request was known an hour before it, too.
    return MovableClock(SystemClock().now() + timedelta(hours=2))


@pytest_asyncio.fixture(loop_scope="session")
async def desks(clock: MovableClock, tmp_path: Path) -> AsyncIterator[Desks]:
    async with serving_desks(MemoryStore(SystemClock()), None, tmp_path, clock=clock) as running:
        yield running


async def test_a_document_that_takes_the_place_of_a_removed_one_has_another_tag(desks: Desks) -> None:
    desk = desks.of()
    tags: list[list[str]] = []
    for mean in (50.0, 70.0):
        await desk.send("POST", "/v2/shapes", json={"document": SHAPE | {"mean": mean}})
        tags.append([(await desk.get(path)).headers["etag"] for path in ("/v2/shapes/flat", "/v2/shapes")])
        assert (await desk.send("DELETE", "/v2/shapes/flat")).status_code == 204
    assert [first == second for first, second in zip(*tags, strict=True)] == [False, False]


async def test_the_tag_of_a_shaped_curve_has_the_instant_that_a_relative_time_means(desks: Desks, clock: MovableClock) -> None:
    desk = desks.of()
    await desk.send("POST", "/v2/shapes", json={"document": SHAPE})
    span = {"shape": "flat", "from": "2025-01-01", "to": "2025-01-02"}
    tags: list[list[str]] = []
    for _ in range(2):
        answers = [await desk.get(f"/v2/curves/{BASE}/shape", as_of=as_of, **span) for as_of in ("-1h", "2099-01-01")]
        assert [one.status_code for one in answers] == [200, 200]
        tags.append([one.headers["etag"] for one in answers])
        clock.at += timedelta(minutes=1)
    assert [first == second for first, second in zip(*tags, strict=True)] == [False, True]


async def test_a_client_that_has_the_kinds_of_a_curve_makes_nobody_read_its_quotes(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, path = desks.of(), f"/v2/curves/{BASE}"
    first = await desk.get(path, by_kind="true")
    assert first.json()["data"]["kinds"] != []

    async def refused(*_: object, **__: object) -> NoReturn:
        raise AssertionError("quotes were read")

    monkeypatch.setattr(MemoryCurveReader, "quotes", refused)
    again = await desk.send("GET", path, params={"by_kind": "true"}, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
