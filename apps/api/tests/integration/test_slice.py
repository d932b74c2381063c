"""Observations of one series: time, point in time, steps, blocks, units."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from api_market import (
    EMPTY,
    FIRST_KNOWN,
    GAS,
    HOUR,
    HOUSTON,
    LOAD,
    LONG,
    NYC,
    NYC_HOURS,
    NYC_START,
    ODD,
    REVISED,
    REVISED_KNOWN,
    TANK,
    WITHDRAWN_HOUR,
    nyc_value,
)

pytestmark = pytest.mark.needs_postgres

FALL_BACK = {"start": "2025-11-02", "end": "2025-11-03", "tz": "market"}


async def read(client: httpx.AsyncClient, key: str, **params: str) -> dict[str, Any]:
    response = await client.get(f"/v2/series/{key}/observations", params=params)
    assert response.status_code == 200, response.text[:300]
    return response.json()


def fall_back_hours() -> list[float]:
    return [nyc_value(hour) for hour in range(48, 48 + 25)]


async def test_the_fall_back_day_has_25_hours(client: httpx.AsyncClient) -> None:
    answer = await read(client, NYC, **FALL_BACK)
    assert [row["value"] for row in answer["data"]] == fall_back_hours()
    assert [row["start"] for row in answer["data"][:4]] == [
        "2025-11-02T00:00:00-04:00",
        "2025-11-02T01:00:00-04:00",
        "2025-11-02T01:00:00-05:00",
        "2025-11-02T02:00:00-05:00",
    ]
    assert answer["meta"]["count"] == 25
    assert answer["meta"]["tz"] == "America/New_York"


async def test_an_observation_is_start_end_value_quality_known_at(client: httpx.AsyncClient) -> None:
    answer = await read(client, NYC, start="2025-10-31T04:00:00Z", end="2025-10-31T05:00:00Z")
    assert list(answer["data"][0].items()) == [
        ("start", "2025-10-31T04:00:00Z"),
        ("end", "2025-10-31T05:00:00Z"),
        ("value", 30.0),
        ("quality", "good"),
        ("known_at", "2025-10-30T15:00:00Z"),
    ]
    assert answer["meta"]["series"]["unit"] == "USD/MWh"


async def test_the_end_of_a_span_is_not_in_it(client: httpx.AsyncClient) -> None:
    answer = await read(client, NYC, start="2025-11-01T04:00:00Z", end="2025-11-01T06:00:00Z")
    assert [row["start"] for row in answer["data"]] == ["2025-11-01T04:00:00Z", "2025-11-01T05:00:00Z"]


async def test_without_a_span_the_whole_series_comes(client: httpx.AsyncClient) -> None:
    assert (await read(client, NYC))["meta"]["count"] == NYC_HOURS


async def test_a_span_of_no_length_is_empty(client: httpx.AsyncClient) -> None:
    assert (await read(client, NYC, start="2025-11-01", end="2025-11-01"))["data"] == []


async def test_a_series_without_observations_is_empty(client: httpx.AsyncClient) -> None:
    assert (await read(client, EMPTY))["data"] == []


async def test_dates_are_read_in_utc_unless_a_clock_is_named(client: httpx.AsyncClient) -> None:
    for tz, first in ((None, "2025-11-01T00:00:00Z"), ("America/Chicago", "2025-11-01T00:00:00-05:00")):
        params = {"start": "2025-11-01", "end": "2025-11-02"} | ({"tz": tz} if tz else {})
        assert (await read(client, NYC, **params))["data"][0]["start"] == first


async def test_a_plus_sign_that_was_not_escaped_is_still_an_offset(client: httpx.AsyncClient) -> None:
    response = await client.get(f"/v2/series/{NYC}/observations?start=2025-11-01T06:00:00+02:00&end=2025-11-01T05:00:00Z")
    assert [row["start"] for row in response.json()["data"]] == ["2025-11-01T04:00:00Z"]


async def test_columns_say_the_same_as_rows(client: httpx.AsyncClient) -> None:
    rows = (await read(client, NYC, **FALL_BACK))["data"]
    columns = (await read(client, NYC, **FALL_BACK, layout="columns"))["data"]
    assert rows == [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


async def test_now_is_the_latest_known_and_as_of_is_what_was_known_then(client: httpx.AsyncClient) -> None:
    for as_of, revised in (
        (None, True),
        (REVISED_KNOWN, True),
        (REVISED_KNOWN - timedelta(microseconds=1), False),
        (FIRST_KNOWN, False),
    ):
        params = {"as_of": as_of.isoformat()} if as_of else {}
        values = [row["value"] for row in (await read(client, NYC, **params))["data"]]
        for hour, value in REVISED.items():
            assert values[hour] == (value if revised else nyc_value(hour)), as_of


async def test_before_anything_was_known_there_is_nothing(client: httpx.AsyncClient) -> None:
    before = (FIRST_KNOWN - timedelta(microseconds=1)).isoformat()
    assert (await read(client, NYC, as_of=before))["data"] == []


async def test_a_withdrawn_value_is_null_and_says_so(client: httpx.AsyncClient) -> None:
    row = (await read(client, NYC))["data"][WITHDRAWN_HOUR]
    assert (row["value"], row["quality"]) == (None, "withdrawn")


async def test_an_irregular_series_has_no_ends(client: httpx.AsyncClient) -> None:
    row = (await read(client, TANK))["data"][0]
    assert (row["start"], row["end"], row["quality"]) == ("2025-10-31T04:00:01.500000Z", None, "suspect")


async def test_days_end_at_the_next_midnight_of_their_clock(client: httpx.AsyncClient) -> None:
    rows = (await read(client, GAS, tz="market", start="2025-10-27"))["data"]
    assert rows[0]["end"] == "2025-10-28T00:00:00-04:00"


async def test_keys_with_slashes_blanks_commas_and_percent_signs_work_in_a_path(client: httpx.AsyncClient) -> None:
    quoted = httpx.URL("http://x/").copy_with(path=f"/v2/series/{ODD}/observations").raw_path.decode()
    assert (await client.get(quoted)).json()["data"][0]["value"] == 1.5
    described = await client.get(quoted.removesuffix("/observations"))
    assert described.json()["data"]["key"] == ODD
    revisions = await client.get(quoted.removesuffix("observations") + "revisions")
    assert revisions.json()["data"][0]["value"] == 1.5


@pytest.mark.parametrize(
    "path", [f"/v2/series/{NYC}/observations/", f"/v2/series/{NYC}/revisions/", f"/v2/series/{NYC}/", "/v2/series/"]
)
@pytest.mark.parametrize("query", ["", "?start=2025-11-02", "?nonsense=1"])
async def test_a_path_that_ends_with_a_slash_is_no_path(client: httpx.AsyncClient, path: str, query: str) -> None:
    answer = await client.get(path + query)
    assert (answer.status_code, answer.json()["detail"]) == (404, "no resource at this path")


async def test_the_daily_mean_of_the_fall_back_day_is_over_25_hours(client: httpx.AsyncClient) -> None:
    answer = await read(client, NYC, **FALL_BACK, freq="1d", agg="mean")
    assert len(answer["data"]) == 1
    row = answer["data"][0]
    assert row["value"] == pytest.approx(sum(fall_back_hours()) / 25)
    assert (row["start"], row["end"]) == ("2025-11-02T00:00:00-04:00", "2025-11-03T00:00:00-05:00")
    assert (answer["meta"]["freq"], answer["meta"]["agg"]) == ("1d", "mean")
    assert answer["meta"]["series"]["frequency"] == "1d"
    counted = await read(client, NYC, **FALL_BACK, freq="1d", agg="count")
    assert counted["data"][0]["value"] == 25


async def test_without_tz_days_are_the_markets_and_with_utc_they_are_those_of_utc(client: httpx.AsyncClient) -> None:
    span = {"start": "2025-11-02T00:00:00Z", "end": "2025-11-03T00:00:00Z", "freq": "1d", "agg": "count"}
    market = (await read(client, NYC, **span))["data"]
    assert [(row["start"], row["value"]) for row in market] == [("2025-11-02T04:00:00Z", 25.0)]
    utc = (await read(client, NYC, **span, tz="UTC"))["data"]
    assert [(row["start"], row["value"]) for row in utc] == [("2025-11-02T00:00:00Z", 24.0)]


async def test_a_bucket_that_starts_in_the_span_is_whole(client: httpx.AsyncClient) -> None:
    narrow = (await read(client, NYC, start="2025-11-02T04:00:00Z", end="2025-11-02T05:00:00Z", freq="1d"))["data"]
    wide = (await read(client, NYC, **FALL_BACK, freq="1d"))["data"]
    assert [row["value"] for row in narrow] == [row["value"] for row in wide]


async def test_five_minutes_become_hours(client: httpx.AsyncClient) -> None:
    rows = (await read(client, LOAD, freq="1h", agg="max"))["data"]
    assert len(rows) == 48
    assert {row["value"] for row in rows} == {11.0}


async def test_a_block_keeps_its_hours_only(client: httpx.AsyncClient) -> None:
    monday = {"start": "2025-11-03", "end": "2025-11-04", "tz": "market"}
    rows = (await read(client, NYC, **monday, block="ON_PEAK"))["data"]
    assert (rows[0]["start"], rows[-1]["end"], len(rows)) == ("2025-11-03T07:00:00-05:00", "2025-11-03T23:00:00-05:00", 16)
    assert (await read(client, NYC, **FALL_BACK, block="ON_PEAK"))["data"] == []
    off = (await read(client, NYC, **monday, block="off-peak"))["data"]
    assert len(off) == 8


async def test_a_block_of_another_calendar_can_be_named(client: httpx.AsyncClient) -> None:
    rows = (await read(client, NYC, start="2025-11-03", end="2025-11-04", tz="market", block="miso_tariff:ON_PEAK"))["data"]
    assert (rows[0]["start"], len(rows)) == ("2025-11-03T06:00:00-05:00", 16)


async def test_a_block_comes_before_the_step(client: httpx.AsyncClient) -> None:
    monday = {"start": "2025-11-03", "end": "2025-11-04", "tz": "market", "block": "ON_PEAK"}
    hours = [row["value"] for row in (await read(client, NYC, **monday))["data"]]
    day = (await read(client, NYC, **monday, freq="1d"))["data"]
    assert [row["value"] for row in day] == [pytest.approx(sum(hours) / 16)]


async def test_units_convert_by_any_of_their_spellings(client: httpx.AsyncClient) -> None:
    answer = await read(client, GAS, unit="$/MWh", start="2025-10-27", end="2025-10-29")
    assert answer["data"][0]["value"] == pytest.approx(3.5 * 3.412141633)
    assert (answer["meta"]["series"]["unit"], answer["meta"]["series"]["currency"]) == ("USD/MWh", "USD")


async def test_money_converts_at_the_rate_of_its_day(client: httpx.AsyncClient) -> None:
    span = {"start": "2025-10-31T04:00:00Z", "end": "2025-10-31T05:00:00Z"}
    euro = await read(client, NYC, **span, currency="EUR")
    assert euro["data"][0]["value"] == pytest.approx(30 / 1.25)
    assert euro["meta"]["series"]["unit"] == "EUR/MWh"
    pounds = await read(client, NYC, **span, currency="GBP")
    assert pounds["data"][0]["value"] == pytest.approx(30 / 1.25 * 0.75)
    both = await read(client, NYC, **span, unit="GBp/therm", currency="GBP")
    assert both["meta"]["series"]["currency"] == "GBP"


async def test_revisions_give_every_version_of_a_point(client: httpx.AsyncClient) -> None:
    hour = NYC_START + 5 * HOUR
    params = {"start": hour.isoformat(), "end": (hour + HOUR).isoformat()}
    response = await client.get(f"/v2/series/{NYC}/revisions", params=params)
    assert [(row["value"], row["known_at"]) for row in response.json()["data"]] == [
        (nyc_value(5), "2025-10-30T15:00:00Z"),
        (1000.0, "2025-11-10T12:30:00Z"),
    ]


async def test_a_long_history_is_the_same_whether_sent_whole_or_in_batches(client: httpx.AsyncClient) -> None:
    monthly = await read(client, LONG, freq="1mo", agg="sum")
    assert sum(row["value"] for row in monthly["data"]) == sum(range(70_000))
    assert len(monthly["data"]) == 96
    weekly = await client.get(f"/v2/series/{LONG}/observations", params={"freq": "1w", "agg": "count", "format": "csv"})
    assert sum(float(line.split(",")[2]) for line in weekly.text.splitlines()[1:]) == 70_000


async def test_one_market_hour_of_another_clock(client: httpx.AsyncClient) -> None:
    rows = (await read(client, HOUSTON, start="2025-11-01", end="2025-11-02", tz="market"))["data"]
    assert rows[0]["start"] == "2025-11-01T00:00:00-05:00"


async def test_a_clock_with_a_plus_sign_that_was_not_escaped_is_understood(client: httpx.AsyncClient) -> None:
    for written in ("Etc/GMT+5", "Etc/GMT%2B5"):
        answer = (await client.get(f"/v2/series/{NYC}/observations?tz={written}&start=2025-11-01&end=2025-11-02")).json()
        assert answer["meta"]["tz"] == "Etc/GMT+5"
        assert answer["data"][0]["start"] == "2025-11-01T00:00:00-05:00"
