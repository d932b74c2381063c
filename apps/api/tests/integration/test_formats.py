"""The same answer in every format, by parameter and by header, whole and streamed."""

from __future__ import annotations

import io
import json

import httpx
import polars as pl
import pytest
from api_market import LONG, NYC, WEST

pytestmark = pytest.mark.needs_postgres

MEDIA_TYPES = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}


def decoded(name: str, content: bytes) -> list[tuple[str, float | None, str]]:
    """(start in UTC, value, quality) of each row."""
    if name == "json":
        frame = pl.DataFrame(json.loads(content)["data"], infer_schema_length=None)
    else:
        readers = {"ndjson": pl.read_ndjson, "csv": pl.read_csv, "arrow": pl.read_ipc_stream, "parquet": pl.read_parquet}
        frame = readers[name](io.BytesIO(content))
    if frame.schema["start"] == pl.String:
        frame = frame.with_columns(pl.col("start").str.to_datetime(time_zone="UTC"))
    starts = frame["start"].dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return list(zip(starts, frame["value"], frame["quality"].cast(pl.String), strict=True))


@pytest.mark.parametrize("path", [f"/v2/series/{NYC}/observations", f"/v2/series/{NYC}/revisions"])
@pytest.mark.parametrize("name", list(MEDIA_TYPES))
async def test_all_formats_say_the_same(client: httpx.AsyncClient, path: str, name: str) -> None:
    expected = decoded("json", (await client.get(path)).content)
    by_parameter = await client.get(path, params={"format": name})
    by_header = await client.get(path, headers={"accept": MEDIA_TYPES[name]})
    media_type = MEDIA_TYPES[name] + ("; charset=utf-8" if name == "csv" else "")
    assert (by_parameter.headers["content-type"], by_header.headers["content-type"]) == (media_type, media_type)
    assert by_parameter.headers["vary"].startswith("Accept")
    assert by_parameter.content == by_header.content or name == "parquet"
    assert decoded(name, by_parameter.content) == expected
    assert len(expected) >= 121


@pytest.mark.parametrize("name", ["csv", "ndjson", "arrow", "parquet"])
async def test_a_history_longer_than_a_batch_streams_whole(client: httpx.AsyncClient, name: str) -> None:
    # Anew: one that is replayed is whole, and has its length.
    response = await client.get(
        f"/v2/series/{LONG}/observations", params={"format": name}, headers={"cache-control": "no-cache"}
    )
    assert "content-length" not in response.headers
    rows = decoded(name, response.content)
    assert [value for _, value, _ in rows] == [float(i) for i in range(70_000)]
    assert (rows[0][0], rows[-1][0]) == ("2020-01-01T00:00:00Z", "2027-12-26T15:00:00Z")


async def test_csv_has_the_documented_columns_and_empty_cells(client: httpx.AsyncClient) -> None:
    response = await client.get(
        f"/v2/series/{NYC}/observations",
        params={"format": "csv", "start": "2025-10-31T11:00:00Z", "end": "2025-10-31T12:00:00Z", "tz": "market"},
    )
    assert response.text == (
        "start,end,value,quality,known_at\n"
        "2025-10-31T07:00:00-04:00,2025-10-31T08:00:00-04:00,,withdrawn,2025-11-10T07:30:00-05:00\n"
    )


async def test_wide_csv_has_a_column_a_series(client: httpx.AsyncClient) -> None:
    params = {"series": [NYC, WEST], "layout": "wide", "format": "csv"}
    lines = (await client.get("/v2/observations", params=params)).text.splitlines()
    assert lines[:2] == [f"start,end,{NYC},{WEST}", "2025-10-31T04:00:00Z,2025-10-31T05:00:00Z,30.0,10.0"]
    assert lines[-1] == "2025-11-05T04:00:00Z,2025-11-05T05:00:00Z,60.0,"


async def test_an_empty_answer_is_a_valid_file(client: httpx.AsyncClient) -> None:
    for name in MEDIA_TYPES:
        response = await client.get(f"/v2/series/{NYC}/observations", params={"format": name, "end": "2000-01-01"})
        assert response.status_code == 200
        if name != "json" and name != "ndjson":
            assert decoded(name, response.content) == [] if name != "csv" else response.text.count("\n") == 1
