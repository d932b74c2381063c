"""``/v2/drought``: real numbers of the index, shares of area, changes over weeks, regions, formats, pages, refusals."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pyarrow as pa
import pytest
import pytest_asyncio

from aurum.api.testing import InMemory, Served, serving
from aurum.common.clock import SystemClock
from aurum.common.contracts import contracts_directory
from aurum.common.settings import Settings
from aurum.pipelines.declarations import declare_catalog
from aurum.pipelines.loading.documents import read_source_files
from aurum.pipelines.loading.load import Ingestion
from aurum.pipelines.loading.sample import sample_files
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from aurum.storage.memory import MemoryStore

ROOT = Path(__file__).parents[4]
SHARES = ROOT / "libs/pipelines/tests/unit/sources/drought_monitor/data/invented_statistics.csv"
REAL = ROOT.parent / "shared/data/drought/dm_export_20010101_20101231.csv"
DAY = timedelta(days=1)

CONUS = next(path for path in sample_files() if path.name.startswith("dm_export"))
"""A real export of two years."""
COUNTIES = """State,County,FIPS,MapDate,DSCI
CA,Los Angeles County,06037,20251104,110
CA,Los Angeles County,06037,20251028,90
NV,Clark County,32003,20251104,300
"""
HUCS = "HUC,MapDate,DSCI\n18,20251104,44\n"
CATEGORICAL = """MapDate,StateAbbreviation,None,D0,D1,D2,D3,D4,ValidStart,ValidEnd,StatisticFormatID
20251104,TX,40.00,24.50,23.50,9.00,3.00,0.00,2025-11-04,2025-11-10,2
"""


async def ingest(store: MemoryStore, folder: Path, *paths: Path) -> None:
    ingestion = Ingestion(
        registry=default_registry(),
        suites=read_suites(contracts_directory(None) / "expectations"),
        loader=store.loader,
        raw_files=RawFiles(folder / "kept"),
    )
    documents = [one for path in paths for one in read_source_files(path) if isinstance(one, SourceFile)]
    reports = [report async for report in ingestion.ingest_all(documents)]
    assert len(reports) == len(paths)
    assert all(report.outcome == "applied" for report in reports), reports


def in_file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("drought")
    store = MemoryStore(SystemClock())
    await declare_catalog(default_registry(), store.catalog_writer)
    statistics = in_file(folder, "GetDroughtSeverityStatisticsByAreaPercent.csv", SHARES.read_text())
    await ingest(
        store,
        folder,
        CONUS,
        statistics,
        in_file(folder, "GetDroughtSeverityStatisticsByAreaPercent_2.csv", CATEGORICAL),
        in_file(folder, "counties.csv", COUNTIES),
        in_file(folder, "hucs.csv", HUCS),
    )
    async with serving(Settings(), InMemory(store)) as running:
        yield running


@pytest.fixture
def client(served: Served) -> httpx.AsyncClient:
    async def on_loopback(scope: Any, receive: Any, send: Any) -> None:
        await served.asgi({**scope, "server": ("127.0.0.1", 8000)}, receive, send)

    transport = httpx.ASGITransport(on_loopback, client=("127.0.0.1", 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


async def get(client: httpx.AsyncClient, path: str, **params: str | int) -> dict[str, Any]:
    response = await client.get(f"/v2/drought/{path}", params=params)
    assert response.status_code == 200, response.text
    return response.json()


def published(path: Path) -> dict[date, float]:
    with path.open(newline="") as file:
        return {date.fromisoformat(row["MapDate"]): float(row["DSCI"]) for row in csv.DictReader(file)}


async def test_the_index_is_that_of_the_real_file_with_its_region(client: httpx.AsyncClient) -> None:
    document = await get(client, "indices", region="CONUS", limit=1000)
    expected = published(CONUS)
    assert {date.fromisoformat(row["day"]): row["value"] for row in document["data"]} == expected
    first = document["data"][0]
    day = min(expected)
    assert first == {
        "region_type": "national",
        "region": "CONUS",
        "region_name": "Contiguous United States",
        "state": "",
        "day": day.isoformat(),
        "start": f"{day}T05:00:00Z",
        "end": f"{day + 7 * DAY}T05:00:00Z",
        "index": "DSCI",
        "value": expected[day],
        "known_at": first["known_at"],
        "series": "drought_monitor:dsci:CONUS:dsci",
    }
    assert document["meta"] == {
        "count": len(expected),
        "limit": 1000,
        "next_cursor": None,
        "start": None,
        "end": None,
        "as_of": None,
        "weeks": None,
    }


async def test_a_week_with_a_clock_change_ends_at_midnight_too(client: httpx.AsyncClient) -> None:
    rows = (await get(client, "indices", region="CONUS", start="2009-03-03", end="2009-03-11"))["data"]
    assert [(row["start"], row["end"]) for row in rows] == [
        ("2009-03-03T05:00:00Z", "2009-03-10T04:00:00Z"),
        ("2009-03-10T04:00:00Z", "2009-03-17T04:00:00Z"),
    ]


@pytest.mark.parametrize("weeks", [1, 4, 13, 26, 52])
async def test_changes_are_those_of_the_published_numbers(client: httpx.AsyncClient, weeks: int) -> None:
    expected = published(CONUS)
    document = await get(client, "indices", region="CONUS", start="2009-06-02", end="2010-06-01", weeks=weeks, limit=1000)
    assert document["meta"]["weeks"] == weeks
    assert len(document["data"]) == 52
    for row in document["data"]:
        day = date.fromisoformat(row["day"])
        before = expected.get(day - 7 * weeks * DAY)
        assert row["value_change"] == (None if before is None else expected[day] - before), day


async def test_changes_do_not_depend_on_the_page(client: httpx.AsyncClient) -> None:
    whole = (await get(client, "indices", region="CONUS", weeks=13, limit=1000))["data"]
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str | int] = {}
    while True:
        page = await get(client, "indices", region="CONUS", weeks=13, limit=30, **cursor)
        assert page["meta"]["count"] == len(page["data"]) <= 30
        rows += page["data"]
        if page["meta"]["next_cursor"] is None:
            break
        cursor = {"cursor": page["meta"]["next_cursor"]}
    assert rows == whole


@pytest.mark.skipif(not REAL.exists(), reason="the shared data is not on this machine")
async def test_ten_years_of_the_real_export(tmp_path: Path) -> None:
    store = MemoryStore(SystemClock())
    await ingest(store, tmp_path, REAL)
    expected = published(REAL)
    async with serving(Settings(), InMemory(store)) as running:

        async def on_loopback(scope: Any, receive: Any, send: Any) -> None:
            await running.asgi({**scope, "server": ("127.0.0.1", 8000)}, receive, send)

        transport = httpx.ASGITransport(on_loopback, client=("127.0.0.1", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            rows = (await get(client, "indices", region="national:CONUS", weeks=52, limit=1000))["data"]
    assert {date.fromisoformat(row["day"]): row["value"] for row in rows} == expected
    year = timedelta(weeks=52)
    assert {date.fromisoformat(row["day"]): row["value_change"] for row in rows} == {
        day: expected[day] - expected[day - year] if day - year in expected else None for day in expected
    }


async def test_shares_of_area_come_with_the_index_made_of_them(client: httpx.AsyncClient) -> None:
    rows = (await get(client, "usdm", region="Texas", weeks=1))["data"]
    assert [{name: row[name] for name in ("none", "d0", "d1", "d2", "d3", "d4", "dsci", "day")} for row in rows] == [
        {"none": 45.0, "d0": 55.0, "d1": 30.0, "d2": 10.0, "d3": 2.0, "d4": 0.0, "dsci": 97.0, "day": "2025-10-28"},
        {"none": 40.0, "d0": 60.0, "d1": 35.5, "d2": 12.0, "d3": 3.0, "d4": 0.0, "dsci": 110.5, "day": "2025-11-04"},
    ]
    changes = ("none_change", "d0_change", "d1_change", "d2_change", "d3_change", "d4_change", "dsci_change")
    assert [rows[0][name] for name in changes] == [None] * 7
    assert [rows[1][name] for name in changes] == [-5.0, 5.0, 5.5, 2.0, 1.0, 0.0, 13.5]
    (categorical,) = (await get(client, "usdm", region="TX", statistics="categorical"))["data"]
    assert (categorical["d0"], categorical["dsci"]) == (24.5, 110.5)


@pytest.mark.parametrize(
    ("path", "params", "expected"),
    [
        ("indices", {"state": "CA"}, ["06037", "06037"]),
        ("indices", {"region_type": "county"}, ["06037", "06037", "32003"]),
        ("indices", {"region_type": "county", "state": "nevada"}, ["32003"]),
        ("indices", {"region": "Los Angeles County, CA"}, ["06037", "06037"]),
        ("indices", {"region": "huc:18"}, ["18"]),
        ("indices", {"region": "California"}, ["18"]),
        ("usdm", {"region": "state:48"}, ["TX", "TX"]),
        ("usdm", {"region": "CONUS"}, []),
        ("usdm", {}, ["NM", "NM", "TX", "TX"]),
        ("usdm", {"region": "TX", "region_type": "county"}, []),
    ],
)
async def test_regions_are_selected(client: httpx.AsyncClient, path: str, params: dict[str, str], expected: list[str]) -> None:
    assert [row["region"] for row in (await get(client, path, **params))["data"]] == expected


async def test_regions_are_listed_with_types_and_names(client: httpx.AsyncClient) -> None:
    document = await get(client, "dimensions")
    meta = document["meta"]
    assert (meta["indices"], meta["weeks"]) == (["DSCI"], [1, 4, 13, 26, 52])
    assert meta["region_types"] == {"national": 1, "state": 2, "county": 2, "huc": 1}
    assert [(one["label"], one["name"], one["state"]) for one in document["data"]] == [
        ("national:CONUS", "Contiguous United States", ""),
        ("state:NM", "New Mexico", "NM"),
        ("state:TX", "Texas", "TX"),
        ("county:06037", "Los Angeles County, CA", "CA"),
        ("county:32003", "Clark County, NV", "NV"),
        ("huc:18", "California", ""),
    ]
    first = await get(client, "dimensions", limit=4)
    rest = await get(client, "dimensions", limit=4, cursor=first["meta"]["next_cursor"])
    assert first["data"] + rest["data"] == document["data"]
    assert rest["meta"]["next_cursor"] is None
    some = await get(client, "dimensions", state="CA")
    assert [one["id"] for one in some["data"]] == ["06037"]


async def test_the_publisher_its_terms_and_datasets_are_told(client: httpx.AsyncClient) -> None:
    data = (await get(client, "info"))["data"]
    assert data["source"] == "drought_monitor"
    assert "National Drought Mitigation Center" in data["terms"]
    assert [one["name"] for one in data["categories"]] == ["D0", "D1", "D2", "D3", "D4"]
    assert [(one["name"], one["least"], one["most"]) for one in data["indices"]] == [("DSCI", 0, 500)]
    newest = {one["name"]: one["newest"] for one in data["datasets"]}
    assert newest["dsci"] == "2025-11-04T05:00:00Z"
    assert "08:30" in data["datasets"][0]["schedule"]


async def test_the_past_is_read_as_it_was_known(client: httpx.AsyncClient) -> None:
    (row,) = (await get(client, "indices", region="CONUS", start="2009-06-02", end="2009-06-03"))["data"]
    known = {"region": "CONUS", "end": "2009-06-03", "weeks": "1", "limit": 1000}
    then = await get(client, "indices", **known, as_of=row["known_at"])
    assert then["data"][-1]["day"] == "2009-06-02"
    assert then["meta"]["as_of"] == row["known_at"]
    before = await get(client, "indices", **known, as_of="2009-06-02T12:00:00Z")
    assert before["data"][-1]["day"] == "2009-05-26"


@pytest.mark.parametrize("path", ["indices?region=CONUS&start=2009-06-02&limit=9&weeks=4", "usdm?weeks=1"])
async def test_every_format_has_the_same_rows(client: httpx.AsyncClient, path: str) -> None:
    rows = (await client.get(f"/v2/drought/{path}")).json()["data"]
    assert rows
    answers = {name: (await client.get(f"/v2/drought/{path}&format={name}")) for name in ("csv", "ndjson", "arrow", "parquet")}
    for answer in answers.values():
        assert answer.status_code == 200
    accepted = await client.get(f"/v2/drought/{path}", headers={"accept": "text/csv"})
    assert accepted.content == answers["csv"].content
    frames = {
        "csv": pl.read_csv(answers["csv"].content, schema_overrides={"region": pl.String, "state": pl.String}),
        "ndjson": pl.read_ndjson(answers["ndjson"].content),
        "arrow": pl.DataFrame(pl.from_arrow(pa.ipc.open_stream(answers["arrow"].content).read_all())),
        "parquet": pl.read_parquet(io.BytesIO(answers["parquet"].content)),
    }
    for name, frame in frames.items():
        assert frame.columns == list(rows[0]), name
        for column in ("region", "day"):
            assert [str(value) for value in frame[column]] == [row[column] for row in rows], name
        for column in (name for name in rows[0] if name.endswith("_change")):
            values = frame[column].cast(pl.Float64).fill_nan(None).to_list()
            assert values == [row[column] for row in rows], (name, column)


async def test_the_next_page_is_linked_in_every_format(client: httpx.AsyncClient) -> None:
    first = await client.get("/v2/drought/indices?region=CONUS&limit=2&format=csv")
    assert first.headers["content-type"] == "text/csv; charset=utf-8"
    target = first.headers["link"].partition(">")[0].removeprefix("<")
    second = await client.get(target)
    days = [row["day"] for answer in (first, second) for row in csv.DictReader(io.StringIO(answer.text))]
    assert days == [day.isoformat() for day in sorted(published(CONUS))[:4]]


async def test_answers_are_cached_and_tagged(client: httpx.AsyncClient) -> None:
    path = "/v2/drought/usdm?region=NM"
    first, second = await client.get(path), await client.get(path)
    assert (second.headers["x-cache"], first.content) == ("hit", second.content)
    same = await client.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert "accept" in first.headers["vary"].lower()


@pytest.mark.parametrize(
    ("query", "parameter", "hint"),
    [
        ("indices?region=Califronia", "region", "California"),
        ("indices?region=county:32004", "region", "county:32003"),
        ("indices?region=", "region", ""),
        ("indices?region_type=province", "region_type", "county"),
        ("indices?state=Texass", "state", "Texas"),
        ("indices?weeks=2", "weeks", "1, 4, 13, 26, 52"),
        ("indices?weeks=0", "weeks", "1, 4"),
        ("indices?weeks=4&weeks=13", "weeks", "once"),
        ("indices?index=SPI", "index", "DSCI"),
        ("usdm?statistics=both", "statistics", "cumulative"),
        ("indices?week=4", "week", "weeks"),
        ("indices?start=soon", "start", ""),
        ("indices?start=2010-01-01&end=2009-01-01", "start", "after"),
        ("indices?as_of=yesterdayish", "as_of", ""),
        ("indices?limit=0", "limit", ""),
        ("indices?format=xml", "format", "csv"),
        ("dimensions?region=Atlantis", "region", "dimensions"),
        ("dimensions?weeks=4", "weeks", ""),
        ("info?region=TX", "region", ""),
        ("indices?cursor=AAAA", "cursor", ""),
    ],
)
async def test_what_cannot_be_used_is_refused_by_name(client: httpx.AsyncClient, query: str, parameter: str, hint: str) -> None:
    response = await client.get(f"/v2/drought/{query}")
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
    error = response.json()["errors"][0]
    assert error["field"] == parameter
    assert hint in error["message"]


async def test_a_cursor_belongs_to_its_query(client: httpx.AsyncClient) -> None:
    cursor = (await get(client, "indices", region="CONUS", limit=2))["meta"]["next_cursor"]
    for other in ("indices?region=06037", "indices?region=CONUS&weeks=4", "usdm?region=CONUS", "dimensions?region=CONUS"):
        response = await client.get(f"/v2/drought/{other}&cursor={cursor}")
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "cursor"), other


async def test_a_store_without_the_source_has_no_rows_and_no_publisher() -> None:
    async with serving(Settings(), InMemory(MemoryStore(SystemClock()))) as running:

        async def on_loopback(scope: Any, receive: Any, send: Any) -> None:
            await running.asgi({**scope, "server": ("127.0.0.1", 8000)}, receive, send)

        transport = httpx.ASGITransport(on_loopback, client=("127.0.0.1", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            for path in ("indices", "usdm"):
                assert (await get(client, path))["data"] == []
                assert (await client.get(f"/v2/drought/{path}?format=csv")).text.startswith("region_type,region,")
            assert (await get(client, "dimensions"))["data"] == []
            assert (await client.get("/v2/drought/info")).status_code == 404
