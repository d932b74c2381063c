"""Settings of spooled answers and of links: AURUM_SPOOL__*, AURUM_LINKS__*."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from aurum.api.testing import InMemory, MovableClock, Served, on_clock, serving
from aurum.common.clock import SystemClock
from aurum.common.settings import Settings
from aurum.core.links import is_signed, read_of
from aurum.storage.memory import MemoryStore

from .conftest import OBSERVATIONS

shows = pytest.mark.shows
CSV = f"{OBSERVATIONS}?format=csv"
RANGE = {"range": "bytes=0-9"}
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(SystemClock().now())


@pytest.fixture
async def reading(settings: Settings, store: MemoryStore, clock: MovableClock) -> AsyncIterator[Served]:
    async with serving(settings, on_clock(InMemory(store), clock)) as served:
        yield served


def files_in(folder: str) -> list[Path]:
    return [path for path in Path(folder).rglob("*") if path.is_file()]


@shows(AURUM_SPOOL__FOLDER="somewhere/spooled")
async def test_files_are_in_the_folder_of_the_setting(reading: Served) -> None:
    await reading.client.head(CSV)
    assert len(files_in("somewhere/spooled")) == 1


@shows(AURUM_SPOOL__KEEP_S="5")
async def test_a_file_is_served_for_as_long_as_the_setting_says(reading: Served, clock: MovableClock) -> None:
    await reading.client.head(CSV)
    ages = []
    for seconds in (4, 1):
        clock.at += SECOND * seconds
        ages.append((await reading.client.head(CSV)).headers["age"])
    assert ages == ["4", "0"]


@shows(AURUM_SPOOL__ANSWER_BYTES="100")
async def test_a_longer_answer_than_the_setting_is_not_spooled(reading: Served) -> None:
    refused = await reading.client.get(CSV, headers=RANGE)
    assert (refused.status_code, refused.json()["limit"]) == (413, 100)


@shows(AURUM_SPOOL__TENANT_BYTES="70000")
async def test_a_tenant_has_room_for_so_many_bytes(reading: Served) -> None:
    statuses = [(await reading.client.head(f"{CSV}&tz={zone}")).status_code for zone in ("UTC", "America/New_York")]
    assert statuses == [200, 429]


@shows(AURUM_SPOOL__MOST_BYTES="70000")
async def test_all_tenants_have_room_for_so_many_bytes(reading: Served) -> None:
    statuses = [(await reading.client.head(f"{CSV}&tz={zone}")).status_code for zone in ("UTC", "America/New_York")]
    assert statuses == [200, 503]


@shows(AURUM_LINKS__SECRET="a secret that has more than 32 characters")
async def test_links_are_signed_with_the_secret_of_the_setting(reading: Served) -> None:
    made = await reading.client.post("/v2/links", json={"query": CSV})
    link, signature = re.findall(r"link=(\w+)&signature=(.+)", made.json()["data"]["path"])[0]
    assert is_signed(b"a secret that has more than 32 characters", link, read_of(OBSERVATIONS, "format=csv"), signature)


@shows(AURUM_LINKS__LONGEST_S="3600")
async def test_no_link_lasts_longer_than_the_setting(reading: Served) -> None:
    bodies = [{"query": CSV, "expires_in": seconds} for seconds in (3600, 3601)]
    assert [(await reading.client.post("/v2/links", json=body)).status_code for body in bodies] == [201, 422]


@shows(AURUM_LINKS__PER_TENANT="1")
async def test_a_tenant_has_so_many_links(reading: Served) -> None:
    assert [(await reading.client.post("/v2/links", json={"query": CSV})).status_code for _ in range(2)] == [201, 409]
