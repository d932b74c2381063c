"""The list of changes over HTTP: pages, refusals, and the points of an entry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import pytest_asyncio

from aurum.api.testing import InMemory, MovableClock, file_of, hourly, on_clock, serving
from aurum.common.clock import SystemClock
from aurum.common.settings import Settings
from aurum.storage.memory import MemoryStore

START = datetime(2025, 11, 3, tzinfo=UTC)
KEY, OTHER = "nyiso:damlbmp_zone:61761:lmp", "pjm:da:1:lmp"
FIRST, SECOND = START + timedelta(days=1), START + timedelta(days=2)
KEEP_DAYS = 30


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(SystemClock().now())


@pytest_asyncio.fixture(loop_scope="session")
async def store() -> MemoryStore:
    """Load three files: one of new points, one that revises and adds points of the same series, one of another dataset."""
    store = MemoryStore(SystemClock())
    await store.loader.load(file_of(hourly(KEY, START, [1.0, 2.0, 3.0], known_at=FIRST)))
    await store.loader.load(file_of(hourly(KEY, START, [1.0, 2.5, 3.0, 4.0], known_at=SECOND), content="revised"))
    await store.loader.load(file_of(hourly(OTHER, START, [7.0])))
    return store


@pytest_asyncio.fixture(loop_scope="session")
async def client(store: MemoryStore, clock: MovableClock) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(Settings(), on_clock(InMemory(store), clock)) as served:
        yield served.client


async def positions(client: httpx.AsyncClient) -> list[str]:
    return [one["position"] for one in (await client.get("/v2/changes")).json()["data"]]


async def test_the_list_names_file_dataset_times_and_counts(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v2/changes")
    first, second, third = answer.json()["data"]
    assert answer.headers["cache-control"] == "no-store"
    assert (first["source"], first["dataset"], first["action"]) == ("nyiso", "damlbmp_zone", "load")
    assert (first["new"], first["revised"], second["new"], second["revised"]) == (3, 0, 1, 1)
    assert (second["first"], second["last"]) == ("2025-11-03T00:00:00Z", "2025-11-03T03:00:00Z")
    assert (second["known_at_basis"], second["series"], second["matched"]) == ("published", 1, None)
    assert second["file"]["name"] == "nyiso.csv"
    assert len(second["file"]["digest"]) == 64
    assert third["source"] == "pjm"


async def test_pages_are_read_by_position_until_the_end(client: httpx.AsyncClient) -> None:
    seen: list[str] = []
    page = (await client.get("/v2/changes", params={"limit": 2})).json()
    while True:
        seen += [one["position"] for one in page["data"]]
        if page["meta"]["next"] == page["meta"]["last"]:
            break
        page = (await client.get("/v2/changes", params={"limit": 2, "after": page["meta"]["next"]})).json()
    assert seen == await positions(client)
    end = (await client.get("/v2/changes", params={"after": seen[-1]})).json()
    assert (end["data"], end["meta"]["next"]) == ([], seen[-1])


@pytest.mark.parametrize(
    ("query", "numbers", "matched"),
    [
        ({"source": "pjm"}, [2], None),
        ({"dataset": "damlbmp_zone"}, [0, 1], None),
        ({"series": "nyiso:*"}, [0, 1], [KEY]),
        ({"series": f"{OTHER}, x:y:z:a"}, [2], [OTHER]),
        ({"series": "*:lmp", "source": "nyiso"}, [0, 1], [KEY]),
        ({"series": "caiso:*"}, [], None),
    ],
)
async def test_filters_select_entries_and_name_the_series_that_match(
    client: httpx.AsyncClient, query: dict[str, str], numbers: list[int], matched: list[str] | None
) -> None:
    every = await positions(client)
    page = (await client.get("/v2/changes", params=query)).json()
    assert [one["position"] for one in page["data"]] == [every[number] for number in numbers]
    assert page["meta"]["next"] == every[-1]
    for one in page["data"]:
        assert one["matched"] == (None if matched is None else {"count": len(matched), "keys": matched})


@pytest.mark.parametrize("path", ["/v2/changes", "/v2/changes/events"])
@pytest.mark.parametrize(
    ("after", "reason"),
    [
        ("nonsense", "is not a position"),
        ("3", "is not a position"),
        ("٣-00000000", "is not a position"),
        ("99-00000000", "is after the last position"),
        ("3-00000000", "belongs to another store"),
        ("0-00000000", "belongs to another store"),
    ],
)
async def test_a_position_that_this_store_never_gave_out_is_refused(
    client: httpx.AsyncClient, path: str, after: str, reason: str
) -> None:
    answer = await client.get(path, params={"after": after})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "after"
    assert reason in answer.json()["detail"]
    if path.endswith("events"):
        by_header = await client.get(path, headers={"Last-Event-ID": after.encode()})
        assert (by_header.status_code, by_header.json()["errors"][0]["field"]) == (422, "Last-Event-ID")


@pytest.mark.parametrize("path", ["/v2/changes", "/v2/changes/events"])
async def test_changes_that_are_no_longer_served_are_gone_and_the_oldest_position_can_be_read_on_from(
    client: httpx.AsyncClient, clock: MovableClock, path: str
) -> None:
    every = await positions(client)
    clock.at += timedelta(days=KEEP_DAYS + 1)
    answer = await client.get(path, params={"after": every[0]})
    assert (answer.status_code, answer.json()["type"]) == (410, "/problems/gone")
    assert answer.json()["oldest"] == answer.json()["last"] == every[-1]
    rest = await client.get("/v2/changes", params={"after": answer.json()["oldest"]})
    assert (rest.status_code, rest.json()["data"]) == (200, [])
    assert (await client.get("/v2/changes")).json()["data"] == []
    assert (await client.get(f"/v2/changes/{every[0]}/points")).status_code == 410


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"series": "a,,b"}, "series"),
        ({"series": ",".join(f"a:b:{n}:c" for n in range(101))}, "series"),
        ({"series": ""}, "series"),
        ({"limit": "0"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"sorce": "nyiso"}, "sorce"),
    ],
)
async def test_a_wrong_parameter_is_named(client: httpx.AsyncClient, query: dict[str, str], field: str) -> None:
    answer = await client.get("/v2/changes", params=query)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_the_points_of_an_entry_have_their_old_and_new_values(client: httpx.AsyncClient) -> None:
    _, second, _ = await positions(client)
    points = (await client.get(f"/v2/changes/{second}/points")).json()["data"]
    assert [(one["series"], one["start"][11:13], one["value"], one["old"] and one["old"]["value"]) for one in points] == [
        (KEY, "01", 2.5, 2.0),
        (KEY, "03", 4.0, None),
    ]
    assert points[0]["known_at"] == "2025-11-05T00:00:00Z"
    assert points[0]["old"]["known_at"] == "2025-11-04T00:00:00Z"


async def test_points_are_read_in_pages(client: httpx.AsyncClient) -> None:
    first, *_ = await positions(client)
    path, seen, cursor = f"/v2/changes/{first}/points", [], None
    while True:
        page = (await client.get(path, params={"limit": 1, **({"cursor": cursor} if cursor else {})})).json()
        seen += [one["value"] for one in page["data"]]
        cursor = page["meta"]["next_cursor"]
        if cursor is None:
            break
    assert seen == [1.0, 2.0, 3.0]


async def test_points_of_no_entry_are_not_found(client: httpx.AsyncClient, store: MemoryStore) -> None:
    from aurum.services.changes import position_text

    begin = await store.change_log.position(0)
    assert begin is not None
    assert (await client.get(f"/v2/changes/{position_text(begin)}/points")).status_code == 404
    assert (await client.get("/v2/changes/7-00000000/points")).status_code == 422
