"""Filters and patterns of ``/v2/observations``, ``latest``, ``limit``, ``order``, ``columns`` and relative times."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import httpx
import polars as pl
import pytest
from api_market import HOUSTON, LOAD, NYC, ODD, TANK, WEST, nyc_value

from aurum.api.testing import InMemory, InventedSeries, MovableClock, file_of, on_clock, serving
from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings, Settings
from aurum.common.settings.limits import LimitsSettings
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.changes import Change, ChangeKind
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

SPAN = {"start": "2025-11-01T04:00:00Z", "end": "2025-11-01T06:00:00Z"}


async def rows(client: httpx.AsyncClient, path: str, **params: object) -> list[dict[str, Any]]:
    response = await client.get(path, params=params)  # type: ignore[arg-type]
    assert response.status_code == 200, response.text[:300]
    return response.json()["data"]


async def refused(client: httpx.AsyncClient, path: str, **params: object) -> dict[str, Any]:
    response = await client.get(path, params=params)  # type: ignore[arg-type]
    assert response.status_code == 422, response.text[:300]
    return response.json()["errors"][0]


@pytest.mark.parametrize(
    ("params", "keys"),
    [
        ({"source": "nyiso", "measure": "lmp"}, {NYC, WEST}),
        ({"market": "ercot"}, {HOUSTON}),
        ({"market": "NYISO", "dataset": "pal"}, {LOAD}),
        ({"series": "nyiso:damlbmp_zone:*"}, {NYC, WEST}),
        ({"series": f"{HOUSTON},*:61761:load"}, {HOUSTON, LOAD}),
        ({"series": [NYC, "ercot:*"]}, {NYC, HOUSTON}),
        ({"series": "*:lmp", "location": "61752"}, {WEST}),
    ],
)
async def test_series_are_chosen_by_filters_and_patterns(
    client: httpx.AsyncClient, params: dict[str, Any], keys: set[str]
) -> None:
    answer = await rows(client, "/v2/observations", **params, **SPAN)
    assert {row["series"] for row in answer} == keys
    body = {name: value if name != "series" or isinstance(value, list) else [value] for name, value in params.items()}
    posted = await client.post("/v2/observations/query", json=body | SPAN)
    assert posted.json()["data"] == answer


async def test_a_table_of_chosen_series_has_the_rows_of_the_document(client: httpx.AsyncClient) -> None:
    params = {"series": "nyiso:*:lmp", "columns": "series,value", **SPAN}
    document = await rows(client, "/v2/observations", **params)
    assert list(document[0]) == ["series", "value"]
    for format_, read in (("csv", pl.read_csv), ("parquet", pl.read_parquet), ("arrow", pl.read_ipc_stream)):
        table = read(io.BytesIO((await client.get("/v2/observations", params=params | {"format": format_})).content))
        assert table.columns == ["series", "value"]
        assert table["value"].to_list() == [row["value"] for row in document]


async def test_columns_come_in_the_requested_order(client: httpx.AsyncClient) -> None:
    answer = await rows(client, f"/v2/series/{NYC}/observations", columns="value,start", freq="1d", limit=1)
    assert [list(row) for row in answer] == [["value", "start"]]
    counted = await rows(client, f"/v2/series/{NYC}/observations", columns="count,coverage", freq="1d")
    assert counted[2] == {"count": 25, "coverage": 1.0}
    based = await rows(client, f"/v2/series/{NYC}/observations", columns="known_at_basis", basis="true", limit=1)
    assert based == [{"known_at_basis": "published"}]


async def test_the_latest_row_is_the_last_of_the_series(client: httpx.AsyncClient) -> None:
    all_rows = await rows(client, f"/v2/series/{NYC}/observations")
    assert await rows(client, f"/v2/series/{NYC}/latest") == all_rows[-1:]
    assert await rows(client, f"/v2/series/{NYC}/observations", order="desc", limit=3) == all_rows[:-4:-1]
    assert await rows(client, f"/v2/series/{NYC}/observations", order="desc") == all_rows[::-1]
    assert await rows(client, f"/v2/series/{NYC}/observations", limit=2) == all_rows[:2]
    then = await rows(client, f"/v2/series/{NYC}/latest", end="2025-10-31T10:00:00Z", as_of="2025-11-01")
    assert then[0]["value"] == nyc_value(5)
    assert await rows(client, f"/v2/series/{NYC}/latest", end="2020-01-01") == []


async def test_the_latest_rows_of_many_series(client: httpx.AsyncClient) -> None:
    answer = await rows(client, "/v2/observations/latest", series=[NYC, WEST, HOUSTON, TANK])
    assert sorted(row["series"] for row in answer) == sorted([NYC, WEST, HOUSTON, TANK])
    for row in answer:
        (single,) = await rows(client, f"/v2/series/{row['series']}/latest")
        assert {"series": row["series"], **single} == row
    assert len(await rows(client, "/v2/observations/latest", source="nyiso")) == 3
    wide = await rows(client, "/v2/observations/latest", series=[NYC, WEST], layout="wide")
    assert [set(row) for row in wide] == [{"start", "end", NYC, WEST}] * 2
    two = await rows(client, "/v2/observations", series=[NYC, WEST], order="desc", limit=2, freq="1d", tz="market")
    assert len(two) == 4


async def test_a_key_that_ends_like_a_route_is_read(client: httpx.AsyncClient) -> None:
    assert len(await rows(client, f"/v2/series/{httpx.URL(path='/' + ODD).path[1:]}/latest")) == 1


@pytest.mark.parametrize(
    ("params", "name", "says"),
    [
        ({}, "series", "is missing"),
        ({"series": "nyiso:nothing*"}, "series", "no series matches"),
        ({"source": "nysio"}, "source", "no series has source 'nysio'"),
        ({"source": ""}, "source", "is empty"),
        ({"series": NYC, "columns": "start,valu"}, "columns", "has no column 'valu'"),
        ({"series": NYC, "columns": "count"}, "columns", "has no column 'count'"),
        ({"series": NYC, "columns": "start,start"}, "columns", "more than once"),
        ({"series": NYC, "columns": "start", "layout": "wide"}, "columns", "layout wide"),
        ({"series": NYC, "limit": "0"}, "limit", "at least 1"),
        ({"series": NYC, "limit": "two"}, "limit", "whole number of rows"),
        ({"series": NYC, "limit": "1000001"}, "limit", "at most"),
        ({"series": NYC, "order": "down"}, "order", "must be one of"),
        ({"series": NYC, "start": "-7w"}, "start", "or write today"),
        ({"series": NYC, "start": "-999999d"}, "start", "too far"),
        ({"series": NYC, "start": "tomorrow", "end": "today"}, "start", "is after end"),
    ],
)
async def test_a_choice_that_means_nothing_names_its_parameter(
    client: httpx.AsyncClient, params: dict[str, str], name: str, says: str
) -> None:
    error = await refused(client, "/v2/observations", **params)
    assert error["field"] == name
    assert says in error["message"]


async def test_parameters_that_latest_decides_itself_are_refused(client: httpx.AsyncClient) -> None:
    for name in ("limit", "order"):
        assert (await refused(client, f"/v2/series/{NYC}/latest", **{name: "1"}))["field"] == name


NOW = datetime(2025, 11, 3, 1, 30, 40, tzinfo=UTC)
"""20:30 in New York, on the day of 25 hours."""


def prices(hours: int, value: float) -> InventedSeries:
    start = datetime(2025, 10, 20, 4, tzinfo=UTC)
    known = datetime(2025, 10, 19, tzinfo=UTC)
    points = [(start + timedelta(hours=hour), value + hour, known, 0) for hour in range(hours)]
    return InventedSeries(NYC, "USD/MWh", "1h", "America/New_York", "NYISO", points, "USD")


async def test_relative_times_are_resolved_before_anything_is_cached() -> None:
    clock = MovableClock(NOW)
    store = MemoryStore(SystemClock())
    await store.loader.load(file_of(prices(24 * 20, 1.0)))
    async with serving(Settings(), on_clock(InMemory(store), clock)) as served:
        get = served.client.get

        async def span(**params: str) -> tuple[str, str, int]:
            response = await get(f"/v2/series/{NYC}/observations", params=params)
            assert response.status_code == 200, response.text
            meta = response.json()["meta"]
            return meta["start"], meta["end"], meta["count"]

        day = {"start": "today", "end": "tomorrow"}
        assert await span(**day, tz="market") == ("2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z", 25)
        assert await span(**day) == ("2025-11-03T00:00:00Z", "2025-11-04T00:00:00Z", 24)
        assert await span(start="-7d", end="yesterday", tz="market") == (
            "2025-10-26T04:00:00Z",
            "2025-11-01T04:00:00Z",
            6 * 24,
        )
        assert await span(start="-36h", end="now") == ("2025-11-01T13:30:00Z", "2025-11-03T01:30:00Z", 36)
        response = await get(f"/v2/series/{NYC}/observations?start=-1h&end=+1h&as_of=now")
        assert response.json()["meta"]["as_of"] == "2025-11-03T01:30:40Z"
        assert response.headers["cache-control"] == "public, no-cache"

        tag = (await get(f"/v2/series/{NYC}/observations", params=day)).headers["etag"]
        same = await get(f"/v2/series/{NYC}/observations", params=day, headers={"if-none-match": tag})
        assert same.status_code == 304
        clock.at += timedelta(days=1)
        assert await span(**day) == ("2025-11-04T00:00:00Z", "2025-11-05T00:00:00Z", 24)
        later = await get(f"/v2/series/{NYC}/observations", params=day, headers={"if-none-match": tag})
        assert later.status_code == 200


async def test_a_series_that_is_loaded_later_belongs_to_the_next_answer(
    database_url: str, postgres_store: PostgresStore
) -> None:
    await postgres_store.loader.load(file_of(prices(2, 1.0)))
    async with serving(Settings(database=DatabaseSettings(url=database_url, pool_size=2))) as served:

        async def keys() -> set[str]:
            return {row["series"] for row in await rows(served.client, "/v2/observations", source="nyiso")}

        assert await keys() == {NYC}
        other = InventedSeries(WEST, "USD/MWh", "1h", "America/New_York", "NYISO", prices(2, 5.0).rows, "USD")
        await postgres_store.loader.load(file_of(other, content="other"))

        async def is_there() -> bool:
            return await keys() == {NYC, WEST}

        await wait_until(is_there)


BATCH = {
    "queries": [
        {"id": "hours", "series": [NYC, WEST], **SPAN},
        {"id": "days", "source": "nyiso", "measure": "lmp", "freq": "1d", "agg": "max", "limit": 1, "order": "desc"},
        {"id": "again", "series": ["nyiso:damlbmp_zone:*"], **SPAN},
    ]
}


@pytest.mark.parametrize(
    ("format_", "read"), [("csv", pl.read_csv), ("arrow", pl.read_ipc_stream), ("parquet", pl.read_parquet)]
)
async def test_a_batch_is_one_table_in_every_format(client: httpx.AsyncClient, format_: str, read: Any) -> None:
    documents = (await client.post("/v2/observations/query", json=BATCH)).json()["data"]
    expected = [
        (one["id"], row["series"], row["value"], row.get("count")) for one in documents for row in one["answer"]["data"]
    ]
    queries = [query | {"format": format_} for query in BATCH["queries"]]
    response = await client.post("/v2/observations/query", json={"queries": queries})
    assert response.status_code == 200, response.text
    table: pl.DataFrame = read(io.BytesIO(response.content))
    assert table.columns[:3] == ["id", "series", "start"]
    assert sorted(table.select("id", "series", "value", "count").rows()) == sorted(expected)
    assert [name for name, _ in groupby(table["id"].to_list())] == ["hours", "days", "again"]


async def test_columns_of_a_batch_are_those_of_all_queries(client: httpx.AsyncClient) -> None:
    def batch(*columns: str) -> dict[str, Any]:
        return {"queries": [{"id": each, "series": [NYC], **SPAN, "format": "ndjson", "columns": each} for each in columns]}

    lines = (await client.post("/v2/observations/query", json=batch("value"))).text.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": "value", "value": nyc_value(24)},
        {"id": "value", "value": nyc_value(25)},
    ]
    problem = (await client.post("/v2/observations/query", json=batch("value", "start"))).json()
    assert problem["errors"][0]["field"] == "queries[1].columns"


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"id": "b", "series": ["nyiso:x"], "format": "csv"}, "queries[1].series"),
        ({"id": "b", "series": [NYC], "start": "once", "format": "csv"}, "queries[1].start"),
        ({"id": "b", "series": [NYC], "layout": "wide", "format": "csv"}, "queries[1].layout"),
        ({"id": "b", "series": [NYC], "format": "json"}, "format"),
    ],
)
async def test_a_query_that_fails_refuses_the_table_of_its_batch(
    client: httpx.AsyncClient, query: dict[str, Any], name: str
) -> None:
    queries = [{"id": "a", "series": [NYC], **SPAN, "format": "csv"}, query]
    response = await client.post("/v2/observations/query", json={"queries": queries})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == name


@pytest.mark.parametrize(
    ("changed", "name"),
    [({"unit": "MW"}, "unit"), ({"freq": "5min"}, "freq"), ({"as_loaded": "2020-01-01T00:00:00Z"}, "as_loaded")],
)
async def test_every_query_of_a_table_is_checked_before_its_first_byte(
    client: httpx.AsyncClient, changed: dict[str, str], name: str
) -> None:
    queries = [{"id": "a", "series": [NYC], "format": "csv"}, {"id": "b", "series": [NYC], "format": "csv", **changed}]
    response = await client.post("/v2/observations/query", json={"queries": queries})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == f"queries[1].{name}"


async def test_coarse_rows_count_against_the_points_of_the_plan() -> None:
    store = MemoryStore(SystemClock())
    await store.loader.load(file_of(prices(1_000, 1.0)))
    async with serving(Settings(limits=LimitsSettings(points=100)), InMemory(store)) as served:
        for path in ("observations?limit=1&order=desc&", "latest?"):
            response = await served.client.get(f"/v2/series/{NYC}/{path}freq=1y&agg=last")
            assert response.status_code == 422, path
            assert response.json()["limit"] == 100
        assert (await served.client.get(f"/v2/series/{NYC}/latest?freq=1d&agg=last")).status_code == 200


async def test_relative_known_times_have_another_tag_later() -> None:
    clock = MovableClock(datetime(2025, 10, 19, 12, tzinfo=UTC))
    store = MemoryStore(SystemClock())
    await store.loader.load(file_of(prices(2, 1.0)))
    async with serving(Settings(), on_clock(InMemory(store), clock)) as served:
        for layout in ("rows", "vintages"):
            clock.at = datetime(2025, 10, 19, 12, tzinfo=UTC)
            path = f"/v2/series/{NYC}/revisions?known_from=-36h&layout={layout}"
            first = await served.client.get(path)
            assert first.json()["meta"]["known_from"] == "2025-10-18T00:00:00Z"
            assert len(first.json()["data"]) == 2
            clock.at += timedelta(days=7)
            later = await served.client.get(path, headers={"if-none-match": first.headers["etag"]})
            assert later.status_code == 200
            assert later.json()["data"] == []


async def test_an_escaped_asterisk_is_a_pattern_for_the_cache_too() -> None:
    store = MemoryStore(SystemClock())
    opened = InMemory(store)
    await store.loader.load(file_of(prices(2, 1.0)))
    async with serving(Settings(), opened) as served:
        for address in ("nyiso:%2A", "nyiso:*"):
            await served.client.get(f"/v2/observations?series={address}&columns=series")
        other = InventedSeries(WEST, "USD/MWh", "1h", "America/New_York", "NYISO", prices(2, 5.0).rows, "USD")
        await store.loader.load(file_of(other, content="other"))
        await opened.feed.publish(Change(ChangeKind.SERIES, ("2",)))
        for address in ("nyiso:%2A", "nyiso:*"):
            response = await served.client.get(f"/v2/observations?series={address}&columns=series")
            assert {row["series"] for row in response.json()["data"]} == {NYC, WEST}


async def test_prices_themselves_are_one_filter_whatever_their_measure() -> None:
    store = MemoryStore(SystemClock())
    rows = prices(1, 1.0).rows
    keys = (NYC, HOUSTON, "nyiso:damlbmp_zone:61761:congestion", "isone:smd_hourly:4004:rt_energy", LOAD)
    for number, key in enumerate(keys):
        kind = "load" if key == LOAD else "price"
        unit = "MW" if key == LOAD else "USD/MWh"
        one = InventedSeries(key, unit, "1h", "America/New_York", "NYISO", rows, None if key == LOAD else "USD", kind=kind)
        await store.loader.load(file_of(one, content=str(number)))
    async with serving(Settings(), InMemory(store)) as served:
        for component, expected in (("total", {NYC, HOUSTON}), ("energy", {keys[3]}), ("congestion", {keys[2]})):
            for path in ("/v2/observations", "/v2/series"):
                data = (await served.client.get(path, params={"component": component})).json()["data"]
                assert {row.get("series") or row["key"] for row in data} == expected
        for path in ("/v2/observations", "/v2/series"):
            assert (await refused(served.client, path, component="losses"))["field"] == "component"


@pytest.mark.parametrize(
    ("params", "name", "close"),
    [
        ({"source": "nysio", "measure": "lmp"}, "source", "nyiso"),
        ({"source": "nyiso", "measure": "lpm"}, "measure", "lmp"),
        ({"market": "NYSIO"}, "market", "NYISO"),
        ({"location_type": "nothing of the kind"}, "location_type", None),
    ],
)
async def test_a_filter_value_that_no_series_has_is_named_with_the_nearest(
    client: httpx.AsyncClient, params: dict[str, str], name: str, close: str | None
) -> None:
    response = await client.get("/v2/observations", params=params)
    problem = response.json()
    assert [error["field"] for error in problem["errors"]] == [name]
    assert problem["nearest"][:1] == ([close] if close else [])
