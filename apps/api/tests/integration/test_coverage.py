"""Coverage of aggregates over HTTP: the same counts in every format, whole, streamed, cached and in a batch."""

from __future__ import annotations

import io
import json

import httpx
import polars as pl
import pytest
from api_market import HOUSTON, LONG, NYC, WEST

pytestmark = pytest.mark.needs_postgres

PATH = f"/v2/series/{NYC}/observations"
FORMATS = ("json", "ndjson", "csv", "arrow", "parquet")


def decoded(name: str, content: bytes) -> pl.DataFrame:
    if name == "json":
        frame = pl.DataFrame(json.loads(content)["data"], infer_schema_length=None)
    else:
        readers = {"ndjson": pl.read_ndjson, "csv": pl.read_csv, "arrow": pl.read_ipc_stream, "parquet": pl.read_parquet}
        frame = readers[name](io.BytesIO(content))
    return frame.select("value", pl.col("quality").cast(pl.String), "count", "expected", "coverage")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("path", [PATH, f"/v2/observations?series={NYC},{WEST},{HOUSTON}"])
async def test_all_formats_have_the_same_counts(client: httpx.AsyncClient, path: str, name: str) -> None:
    params = dict(httpx.URL(path).params) | {"freq": "1w", "tz": "market" if "series" not in path.split("?")[-1] else "UTC"}
    bare = path.partition("?")[0]
    expected = decoded("json", (await client.get(bare, params=params)).content)
    assert set(expected["quality"]) == {"partial"}
    first = await client.get(bare, params=params | {"format": name})
    again = await client.get(bare, params=params | {"format": name})
    assert first.content == again.content
    frame = decoded(name, first.content)
    assert frame.equals(expected)
    assert frame.schema["count"] == frame.schema["expected"] == pl.Int64


@pytest.mark.parametrize("name", ["csv", "ndjson", "arrow", "parquet"])
async def test_a_streamed_answer_has_the_counts_of_whole_buckets(client: httpx.AsyncClient, name: str) -> None:
    response = await client.get(
        f"/v2/series/{LONG}/observations",
        params={"format": name, "freq": "1mo", "tz": "UTC"},
        headers={"cache-control": "no-cache"},
    )
    frame = decoded(name, response.content)
    assert frame["count"].sum() == 70_000
    assert frame["expected"].head(3).to_list() == [31 * 24, 29 * 24, 31 * 24]
    assert frame["quality"].to_list() == ["good"] * (frame.height - 1) + ["partial"]


async def test_columns_have_the_counts_as_arrays(client: httpx.AsyncClient) -> None:
    answer = (await client.get(PATH, params={"freq": "1d", "tz": "market", "layout": "columns"})).json()
    assert list(answer["data"])[-3:] == ["count", "expected", "coverage"]
    assert 25 in answer["data"]["expected"]
    assert answer["meta"]["min_coverage"] is None


async def test_rows_that_are_not_aggregated_have_no_counts(client: httpx.AsyncClient) -> None:
    for params in ({}, {"block": "ON_PEAK"}, {"block": "ON_PEAK", "min_coverage": "1"}):
        answer = (await client.get(PATH, params=params)).json()
        assert list(answer["data"][0]) == ["start", "end", "value", "quality", "known_at"]


@pytest.mark.parametrize("name", FORMATS)
async def test_a_withheld_bucket_has_no_value_and_shows_its_counts(client: httpx.AsyncClient, name: str) -> None:
    params = {"freq": "1w", "tz": "market", "format": name}
    shown = await client.get(PATH, params=params)
    withheld = await client.get(PATH, params=params | {"min_coverage": "1"})
    assert shown.headers["etag"] != withheld.headers["etag"]
    marked, hidden = decoded(name, shown.content), decoded(name, withheld.content)
    assert marked["value"].null_count() == 0
    assert hidden["value"].null_count() == hidden.height
    assert hidden.drop("value").equals(marked.drop("value"))


@pytest.mark.parametrize("least", ["-0.1", "1.01", "nan", "inf", "half", "0,5", "1e3"])
async def test_a_least_coverage_that_is_no_share_is_refused(client: httpx.AsyncClient, least: str) -> None:
    response = await client.get(PATH, params={"freq": "1d", "min_coverage": least})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "min_coverage"


async def test_a_least_coverage_without_an_aggregate_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.get(PATH, params={"min_coverage": "0.5"})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "min_coverage")


async def test_a_batch_withholds_for_each_query(client: httpx.AsyncClient) -> None:
    week = {"series": [NYC], "freq": "1w", "tz": "market"}
    queries = [
        {"id": "marked", **week},
        {"id": "withheld", **week, "min_coverage": 1},
        {"id": "wrong", **week, "min_coverage": 1.5},
        {"id": "missing", "series": [NYC], "min_coverage": 0.5},
    ]
    results = (await client.post("/v2/observations/query", json={"queries": queries})).json()["data"]
    assert [one["status"] for one in results] == [200, 200, 422, 422]
    assert {row["quality"] for row in results[1]["answer"]["data"]} == {"partial"}
    assert {row["value"] for row in results[1]["answer"]["data"]} == {None}
    assert all(one["answer"]["errors"][0]["field"] == "min_coverage" for one in results[2:])


async def test_a_least_coverage_in_a_body_is_a_number(client: httpx.AsyncClient) -> None:
    response = await client.post("/v2/observations/query", json={"series": [NYC], "freq": "1d", "min_coverage": "0.5"})
    assert response.status_code == 422
