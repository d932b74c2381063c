"""Leads, issues and vintages over HTTP."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import polars as pl
import pytest
import pytest_asyncio

from aurum.api.testing import InMemory, serving
from aurum.common.clock import SystemClock
from aurum.common.settings import ApiSettings, Settings
from aurum.core.catalog.entries import DatasetEntry, SourceEntry
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.files import FileLoad
from aurum.storage.testing.builders import T0, Point, file_load

NEW_YORK = "America/New_York"
CAPITL, WEST = "nyiso:isolf:capitl:forecast_load", "nyiso:isolf:west:forecast_load"
CPI = "fred:observations:CPIAUCSL:value"
LOAD = "nyiso:pal:61757:load"
HOUR = timedelta(hours=1)
FIRST, SECOND, THIRD = (datetime(2026, 3, day, 12, tzinfo=UTC) for day in (6, 7, 8))
"""Known times of the issues: eight in the morning, and on the third day, after clocks changed, again eight."""
TS = datetime(2026, 3, 8, 5, tzinfo=UTC)
"""Midnight in New York on the spring day."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


def issue(known_at: datetime, values: dict[datetime, float], key: str = CAPITL, *, is_forecast: bool = True) -> FileLoad:
    points: list[Point] = [((ts - T0) / HOUR, None, value) for ts, value in values.items()]
    return file_load(
        points,
        key=key,
        zone=NEW_YORK,
        market="NYISO",
        known_at=known_at,
        name=f"{known_at:%Y%m%d}isolf.csv",
        digest=f"{key} {known_at} {values}",
        is_forecast=is_forecast,
    )


async def forecasts(store: MemoryStore) -> None:
    await store.catalog_writer.declare(
        sources=[SourceEntry("nyiso", "New York ISO", ""), SourceEntry("fred", "FRED", "")],
        datasets=[
            DatasetEntry("nyiso", "isolf", "Load forecast", NEW_YORK, "1h", (), market="NYISO", is_forecast=True),
            DatasetEntry("nyiso", "pal", "Load", NEW_YORK, "1h", (), market="NYISO"),
        ],
        blocks=[],
    )
    hours = [TS + number * HOUR for number in range(48)]
    for key, base in ((CAPITL, 1000.0), (WEST, 2000.0)):
        await store.loader.load(issue(FIRST, dict.fromkeys(hours[:23], base + 1), key))
        await store.loader.load(issue(SECOND, dict.fromkeys(hours, base + 2), key))
        await store.loader.load(issue(THIRD, {ts: base + (2 if ts < hours[30] else 3) for ts in hours[23:]}, key))
    await store.loader.load(issue(FIRST, dict.fromkeys(hours, 7.0), LOAD, is_forecast=False))
    days: list[Point] = [(0, 20, 100.0), (0, 50, 101.0), (744, 50, 102.0), (0, 80, float("nan"), 9), (744, 80, 103.0)]
    await store.loader.load(file_load(days, key=CPI, unit="index", frequency="1mo", zone="UTC"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    store = MemoryStore(SystemClock())
    await forecasts(store)
    async with serving(Settings(api=ApiSettings(document_rows=2_000)), InMemory(store)) as served:
        yield served.client


async def read(client: httpx.AsyncClient, key: str = CAPITL, **requested: Any) -> httpx.Response:
    return await client.get(f"/v2/series/{key}/observations", params=requested)


async def values(client: httpx.AsyncClient, **requested: Any) -> list[float]:
    answer = await read(client, **requested)
    assert answer.status_code == 200, answer.text
    return [row["value"] for row in answer.json()["data"]]


async def test_a_lead_is_read_as_rows_columns_and_daily_means(client: httpx.AsyncClient) -> None:
    ahead = {"days_ahead": 1, "before": "10:00", "tz": "market"}
    assert await values(client, **ahead) == [1002.0] * 30 + [1003.0] * 18
    assert await values(client, **ahead, as_of="2026-03-07T00:00:00Z") == [1001.0] * 23
    assert await values(client, days_ahead=1, tz="market", end="2026-03-09") == [1002.0] * 23
    assert await values(client, hours_ahead=18, tz="market", start="2026-03-08", end="2026-03-08T04:00") == [
        1001.0,
        1002.0,
        1002.0,
    ]
    assert await values(client, **ahead, freq="1d", end="2026-03-09") == [1002.0]
    columns = (await read(client, **ahead, layout="columns")).json()
    assert columns["data"]["value"] == [1002.0] * 30 + [1003.0] * 18


@pytest.mark.parametrize("format", ["csv", "ndjson", "arrow", "parquet"])
async def test_leads_and_issues_come_in_every_format(client: httpx.AsyncClient, format: str) -> None:
    for requested in ({"days_ahead": 1}, {"issue": "latest"}):
        for path, params in (
            (f"/v2/series/{CAPITL}/observations", requested),
            ("/v2/observations", {**requested, "series": [CAPITL, WEST]}),
        ):
            answer = await client.get(path, params={**params, "format": format})
            assert answer.status_code == 200, answer.text
            content = io.BytesIO(answer.content)
            frame = {
                "csv": pl.read_csv,
                "ndjson": pl.read_ndjson,
                "arrow": pl.read_ipc_stream,
                "parquet": pl.read_parquet,
            }[format](content)  # type: ignore[operator] - each reads bytes
            expected = (await client.get(path, params=params)).json()["data"]
            assert frame["value"].to_list() == [row["value"] for row in expected]


async def test_many_series_and_a_body_read_the_same_leads(client: httpx.AsyncClient) -> None:
    requested = {"days_ahead": 1, "before": "10:00", "tz": "market"}
    alone = {key: (await read(client, key, **requested)).json()["data"] for key in (CAPITL, WEST)}
    got = (await client.get("/v2/observations", params={"series": [CAPITL, WEST], **requested})).json()
    assert got["data"] == [{"series": key, **row} for key, rows in alone.items() for row in rows]
    posted = (await client.post("/v2/observations/query", json={"series": [CAPITL, WEST], **requested})).json()
    assert posted == got
    wide = (await client.get("/v2/observations", params={"series": [CAPITL, WEST], **requested, "layout": "wide"})).json()
    assert [row[WEST] for row in wide["data"]] == [row["value"] for row in alone[WEST]]


async def test_a_batch_has_leads_issues_and_their_refusals(client: httpx.AsyncClient) -> None:
    queries = [
        {"id": "lead", "series": [CAPITL], "hours_ahead": 30.5},
        {"id": "issue", "series": [CAPITL], "issue": "first"},
        {"id": "no issue", "series": [CAPITL], "issue": "2026-03-06T13:00:00Z"},
        {"id": "no forecast", "series": [LOAD], "days_ahead": 1},
        {"id": "bad", "series": [CAPITL], "days_ahead": 0},
    ]
    answer = (await client.post("/v2/observations/query", json={"queries": queries})).json()["data"]
    assert [(one["id"], one["status"]) for one in answer] == [
        ("lead", 200),
        ("issue", 200),
        ("no issue", 404),
        ("no forecast", 422),
        ("bad", 422),
    ]
    assert answer[2]["answer"]["nearest"] == [
        "2026-03-06T12:00:00+00:00",
        "2026-03-07T12:00:00+00:00",
        "2026-03-08T12:00:00+00:00",
    ]


async def test_issues_are_listed_in_pages_and_each_can_be_read(client: httpx.AsyncClient) -> None:
    path = f"/v2/series/{CAPITL}/issues"
    first = (await client.get(path, params={"limit": 2})).json()
    assert [issue["known_at"] for issue in first["data"]] == ["2026-03-08T12:00:00Z", "2026-03-07T12:00:00Z"]
    rest = (await client.get(path, params={"limit": 2, "cursor": first["meta"]["next_cursor"]})).json()
    assert [(issue["known_at"], issue["file"]) for issue in rest["data"]] == [("2026-03-06T12:00:00Z", "20260306isolf.csv")]
    assert rest["meta"]["next_cursor"] is None
    known = (await client.get(path, params={"as_of": "2026-03-07"})).json()
    assert known["data"] == rest["data"]
    counts = [len(await values(client, issue=issue["known_at"])) for issue in (*first["data"], *rest["data"])]
    assert counts == [25, 48, 23]
    assert (await client.get(f"/v2/series/{LOAD}/issues")).json()["data"] == []
    assert (await client.get("/v2/series/nyiso:isolf:nowhere:forecast_load/issues")).status_code == 404
    assert (await client.get(path, params={"as_of": "yesterday"})).status_code == 422


async def test_an_issue_names_itself_and_has_a_tag_of_its_own(client: httpx.AsyncClient) -> None:
    latest = await read(client, issue="latest")
    assert latest.json()["meta"]["series"]["issue"] == "2026-03-08T12:00:00Z"
    named = await read(client, issue="2026-03-08T12:00:00Z")
    assert named.json()["data"] == latest.json()["data"]
    tag = {"if-none-match": latest.headers["etag"]}
    again = await client.get(f"/v2/series/{CAPITL}/observations", params={"issue": "latest"}, headers=tag)
    assert again.status_code == 304
    assert "no-cache" in latest.headers["cache-control"]


async def test_a_new_issue_that_repeats_everything_has_another_tag() -> None:
    store = MemoryStore(SystemClock())
    await forecasts(store)
    async with serving(Settings(), InMemory(store)) as served:
        before = await read(served.client, issue="latest")
        hours = {TS + number * HOUR: 1003.0 for number in range(40, 48)}
        await store.loader.load(issue(THIRD + HOUR, hours))
        after = await read(served.client, issue="latest")
    assert (len(before.json()["data"]), len(after.json()["data"])) == (25, 8)
    assert before.headers["etag"] != after.headers["etag"]


@pytest.mark.parametrize(
    ("requested", "field"),
    [
        ({"days_ahead": "1.5"}, "days_ahead"),
        ({"days_ahead": "0"}, "days_ahead"),
        ({"days_ahead": "99999"}, "days_ahead"),
        ({"days_ahead": ""}, "days_ahead"),
        ({"hours_ahead": "six"}, "hours_ahead"),
        ({"hours_ahead": "-1"}, "hours_ahead"),
        ({"hours_ahead": "1e99"}, "hours_ahead"),
        ({"before": "10:00"}, "before"),
        ({"days_ahead": "1", "before": "10"}, "before"),
        ({"days_ahead": "1", "before": "24:00"}, "before"),
        ({"days_ahead": "1", "hours_ahead": "6"}, "hours_ahead"),
        ({"issue": "latest", "hours_ahead": "6"}, "hours_ahead"),
        ({"issue": "last"}, "issue"),
        ({"issue": "latest", "as_loaded": "2026-03-01"}, "issue"),
    ],
)
async def test_a_lead_that_cannot_be_read_names_its_parameter(
    client: httpx.AsyncClient, requested: dict[str, str], field: str
) -> None:
    answer = await read(client, **requested)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("requested", [{"days_ahead": 1}, {"hours_ahead": 6}, {"issue": "latest"}])
async def test_what_is_no_forecast_has_no_leads_and_no_issues(client: httpx.AsyncClient, requested: dict[str, object]) -> None:
    answer = await read(client, LOAD, **requested)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == list(requested)


async def test_vintages_stand_side_by_side_and_a_withdrawn_value_is_null(client: httpx.AsyncClient) -> None:
    path = f"/v2/series/{CPI}/revisions"
    document = (await client.get(path, params={"layout": "vintages"})).json()
    names = ["2025-01-21T00:00:00Z", "2025-02-20T00:00:00Z", "2025-03-22T00:00:00Z"]
    assert document["meta"]["vintages"] == names
    assert [[row[name] for name in names] for row in document["data"]] == [[100.0, 101.0, None], [None, 102.0, 103.0]]
    assert document["data"][0]["start"] == "2025-01-01T00:00:00Z"
    window = {"known_from": "2025-02-01", "known_to": "2025-03-22"}
    (vintage,) = (await client.get(path, params={"layout": "vintages", **window})).json()["meta"]["vintages"]
    assert vintage == names[1]
    csv = (await client.get(path, params={"layout": "vintages", "format": "csv"})).text.splitlines()
    assert csv[0] == ",".join(["start", "end", *names])
    none = (await client.get(path, params={"layout": "vintages", "known_from": "2026-01-01"})).json()
    assert (none["data"], none["meta"]["vintages"]) == ([], [])


async def test_revisions_of_a_span_of_known_times(client: httpx.AsyncClient) -> None:
    path = f"/v2/series/{CPI}/revisions"
    rows = (await client.get(path, params={"known_from": "2025-02-20", "known_to": "2025-03-22"})).json()["data"]
    assert [row["value"] for row in rows] == [101.0, 102.0]
    wrong = await client.get(path, params={"known_from": "2025-03-22", "known_to": "2025-02-20"})
    assert [error["field"] for error in wrong.json()["errors"]] == ["known_from"]


async def test_too_many_vintages_are_refused_with_a_way_out(client: httpx.AsyncClient) -> None:
    store = MemoryStore(SystemClock())
    await store.loader.load(file_load([(0, known, float(known)) for known in range(501)], key=CPI, frequency="1mo"))
    async with serving(Settings(), InMemory(store)) as served:
        path = f"/v2/series/{CPI}/revisions"
        refused = await served.client.get(path, params={"layout": "vintages"})
        assert refused.status_code == 422
        assert "known_from" in refused.json()["detail"]
        fewer = await served.client.get(path, params={"layout": "vintages", "known_from": "2026-01-01"})
        assert fewer.status_code == 200
