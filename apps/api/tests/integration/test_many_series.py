"""Observations of several series: long, wide, in columns; comma-separated and repeated keys."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import httpx
import pytest
from api_market import GAS, HOUSTON, LOAD, NYC, ODD, WEST, nyc_value

pytestmark = pytest.mark.needs_postgres


async def read(client: httpx.AsyncClient, *series: str, **params: str) -> dict[str, Any]:
    response = await client.get("/v2/observations", params={"series": list(series), **params})
    assert response.status_code == 200, response.text[:300]
    return response.json()


async def test_long_rows_name_their_series_first(client: httpx.AsyncClient) -> None:
    answer = await read(client, WEST, NYC, start="2025-11-01T04:00:00Z", end="2025-11-01T06:00:00Z")
    assert list(answer["data"][0]) == ["series", "start", "end", "value", "quality", "known_at"]
    assert {(row["series"], row["start"]): row["value"] for row in answer["data"]} == {
        (WEST, "2025-11-01T04:00:00Z"): 34.0,
        (WEST, "2025-11-01T05:00:00Z"): 35.0,
        (NYC, "2025-11-01T04:00:00Z"): nyc_value(24),
        (NYC, "2025-11-01T05:00:00Z"): nyc_value(25),
    }
    assert [one["key"] for one in answer["meta"]["series"]] == [WEST, NYC]
    assert answer["meta"]["count"] == 4


async def test_each_series_comes_whole_and_ascending(client: httpx.AsyncClient) -> None:
    rows = (await read(client, NYC, WEST, HOUSTON))["data"]
    keys = [row["series"] for row in rows]
    assert len(set(keys)) == 3
    assert sum(one != other for one, other in pairwise(keys)) == 2
    for key in (NYC, WEST, HOUSTON):
        starts = [row["start"] for row in rows if row["series"] == key]
        assert starts == sorted(starts)


async def test_wide_rows_have_a_column_a_series_in_the_order_asked(client: httpx.AsyncClient) -> None:
    answer = await read(client, WEST, NYC, layout="wide", start="2025-11-02T03:00:00Z", end="2025-11-02T05:00:00Z")
    assert [list(row) for row in answer["data"]] == [["start", "end", WEST, NYC]] * 2
    # WEST ends two days after its start: 2025-11-02T04:00Z is its first missing hour.
    assert [row[WEST] for row in answer["data"]] == [57.0, None]
    assert [row[NYC] for row in answer["data"]] == [nyc_value(47), nyc_value(48)]


async def test_series_of_different_steps_do_not_share_a_wide_row(client: httpx.AsyncClient) -> None:
    rows = (await read(client, NYC, GAS, layout="wide", start="2025-10-31T04:00:00Z", end="2025-10-31T05:00:00Z"))["data"]
    assert [(row["end"], row[NYC], row[GAS]) for row in rows] == [
        ("2025-10-31T05:00:00Z", 30.0, None),
        ("2025-11-01T04:00:00Z", None, 3.5),
    ]


async def test_columns_say_the_same_as_long_rows(client: httpx.AsyncClient) -> None:
    rows = (await read(client, NYC, WEST))["data"]
    columns = (await read(client, NYC, WEST, layout="columns"))["data"]
    assert rows == [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


async def test_keys_may_be_separated_by_commas_or_repeated(client: httpx.AsyncClient) -> None:
    span = {"start": "2025-11-01", "end": "2025-11-02"}
    repeated = await read(client, NYC, WEST, **span)
    assert await read(client, f"{NYC},{WEST}", **span) == repeated
    assert await read(client, f"{NYC},{WEST}", NYC, WEST, **span) == repeated


async def test_a_key_that_holds_a_comma_is_one_key(client: httpx.AsyncClient) -> None:
    answer = await read(client, ODD, NYC, start="2025-10-31", end="2025-11-01")
    assert [one["key"] for one in answer["meta"]["series"]] == [ODD, NYC]


async def test_every_series_is_resampled_on_its_own_clock(client: httpx.AsyncClient) -> None:
    answer = await read(client, NYC, HOUSTON, freq="1d", agg="count", start="2025-11-02T04:00:00Z", end="2025-11-02T06:00:00Z")
    assert {(row["series"], row["start"]): row["value"] for row in answer["data"]} == {
        (NYC, "2025-11-02T04:00:00Z"): 25.0,
        (HOUSTON, "2025-11-02T05:00:00Z"): 24.0,
    }


async def test_series_of_different_units_convert_to_one(client: httpx.AsyncClient) -> None:
    answer = await read(client, NYC, GAS, unit="USD/MWh", start="2025-10-31T04:00:00Z", end="2025-10-31T05:00:00Z")
    by_series = {row["series"]: row["value"] for row in answer["data"]}
    assert by_series == {NYC: 30.0, GAS: pytest.approx(3.5 * 3.412141633)}
    assert {one["unit"] for one in answer["meta"]["series"]} == {"USD/MWh"}


async def test_each_market_has_its_own_hours_of_a_block(client: httpx.AsyncClient) -> None:
    monday = {"start": "2025-11-02T00:00:00Z", "end": "2025-11-04T00:00:00Z", "block": "ON_PEAK"}
    starts: dict[str, list[str]] = {}
    for row in (await read(client, NYC, HOUSTON, **monday))["data"]:
        starts.setdefault(row["series"], []).append(row["start"])
    assert starts[NYC][0] == "2025-11-03T12:00:00Z"
    assert HOUSTON not in starts  # its data ends before Monday's first hour


async def test_point_in_time_holds_for_many_series_too(client: httpx.AsyncClient) -> None:
    now = await read(client, NYC, WEST)
    then = await read(client, NYC, WEST, as_of="2025-11-01T00:00:00Z")
    assert 1000.0 in [row["value"] for row in now["data"]]
    assert 1000.0 not in [row["value"] for row in then["data"]]


async def test_five_minute_and_hourly_series_side_by_side_stream(client: httpx.AsyncClient) -> None:
    response = await client.get("/v2/observations", params={"series": [LOAD, NYC], "format": "csv"})
    lines = response.text.splitlines()
    assert lines[0] == "series,start,end,value,quality,known_at"
    assert len(lines) == 1 + 576 + 121
