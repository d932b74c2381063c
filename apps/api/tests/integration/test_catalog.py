"""The catalog and the state of the data."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from api_market import HOUSTON, NYC, RULE, WEST, invented_series

from aurum.core.calendars import default_blocks, default_calendars
from aurum.core.keys import SeriesKey
from aurum.core.markettime import MARKETS

pytestmark = pytest.mark.needs_postgres


async def data(client: httpx.AsyncClient, path: str, **params: str | int | bool) -> Any:
    response = await client.get(f"/v2/catalog/{path}", params=params)
    assert response.status_code == 200, response.text[:300]
    return response.json()["data"]


async def test_sources_and_datasets_are_those_declared(client: httpx.AsyncClient) -> None:
    assert [one["name"] for one in await data(client, "sources")] == ["nyiso"]
    (dataset,) = await data(client, "datasets", source="nyiso")
    assert (dataset["name"], dataset["tz"], dataset["measures"][0]["unit"]) == ("damlbmp_zone", "America/New_York", "USD/MWh")
    assert (dataset["publication"], dataset["is_forecast"]) == ([RULE], False)
    series = [one for one in invented_series() if one.key.startswith("nyiso:damlbmp_zone:")]
    assert dataset["series"] == len(series)
    assert dataset["first"] < dataset["last"]
    (source,) = await data(client, "sources")
    assert (dataset["licence"], dataset["homepage"]) == (source["terms"], source["homepage"])
    assert await data(client, "datasets", source="nobody") == []


async def test_every_market_has_clock_and_calendar(client: httpx.AsyncClient) -> None:
    markets = {one["code"]: one for one in await data(client, "markets")}
    assert set(markets) == set(MARKETS)
    assert (markets["MISO"]["tz"], markets["MISO"]["calendar"]) == ("Etc/GMT+5", "miso")


async def test_locations_are_paged(client: httpx.AsyncClient) -> None:
    everything = await data(client, "locations")
    keys = [SeriesKey.parse(entry.key) for entry in invented_series()]
    assert [(one["source"], one["location"]) for one in everything] == sorted({(key.source, key.location) for key in keys})
    nyc = next(one for one in everything if one["source"] == "nyiso" and one["location"] == "61761")
    assert (nyc["name"], nyc["series"]) == ("N.Y.C.", 2)
    first = (await client.get("/v2/catalog/locations", params={"limit": 2})).json()
    rest = await data(client, "locations", cursor=first["meta"]["next_cursor"])
    assert first["data"] + rest == everything
    assert [one["location"] for one in await data(client, "locations", text="houston")] == ["HB_HOUSTON"]


async def test_units_know_their_spellings(client: httpx.AsyncClient) -> None:
    units = {one["unit"]: one for one in await data(client, "units")}
    assert "$/MWh" in units["USD/MWh"]["aliases"]
    assert units["MW"]["dimension"] != units["MWh"]["dimension"]


async def test_calendars_and_blocks_are_data(client: httpx.AsyncClient) -> None:
    # Other tests of this service may have added some.
    assert {one["name"] for one in await data(client, "calendars")} >= {one.name for one in default_calendars()}
    shown = {(one["calendar"], one["name"]) for one in await data(client, "blocks")}
    assert shown >= {(one.calendar, one.name) for one in default_blocks()}
    pjm = {one["name"]: one for one in await data(client, "blocks", calendar="pjm")}
    assert pjm["ON_PEAK"]["windows"] == [{"days": ["mon", "tue", "wed", "thu", "fri"], "hours": [[8, 23]]}]


async def test_pjm_has_4080_on_peak_and_4680_off_peak_hours_in_2025(client: httpx.AsyncClient) -> None:
    for block, hours, days in (("ON_PEAK", 4080, 255), ("OFF_PEAK", 4680, 365), ("7x24", 8760, 365)):
        url = f"/v2/catalog/blocks/pjm/{block}/hours"
        hours_of_block = (await client.get(url, params={"start": "2025-01-01", "end": "2026-01-01"})).json()
        assert (hours_of_block["meta"]["hours"], len(hours_of_block["data"])) == (hours, hours)
        assert len({one["day"] for one in hours_of_block["data"]}) == days


async def test_the_repeated_hour_is_in_the_expansion_twice(client: httpx.AsyncClient) -> None:
    url = "/v2/catalog/blocks/pjm/7x24/hours"
    hours = (await client.get(url, params={"start": "2025-11-02", "end": "2025-11-03"})).json()["data"]
    assert len(hours) == 25
    assert [one["start"] for one in hours if int(one["hour_ending"]) == 2] == ["2025-11-02T05:00:00Z", "2025-11-02T06:00:00Z"]


async def test_blocks_go_by_their_aliases_too(client: httpx.AsyncClient) -> None:
    url = "/v2/catalog/blocks/pjm/5x16/hours"
    assert (await client.get(url, params={"start": "2025-11-03", "end": "2025-11-04"})).json()["meta"]["block"] == "ON_PEAK"


async def test_dimensions_count_their_series(client: httpx.AsyncClient) -> None:
    dimensions = await data(client, "dimensions")
    entries = invented_series()
    assert dimensions["source"]["nyiso"] == sum(one.key.startswith("nyiso:") for one in entries)
    assert sum(dimensions["frequency"].values()) == len(entries)
    assert sum(dimensions["kind"].values()) == len(entries)
    assert dimensions["kind"]["price"] == sum(one.kind == "price" for one in entries)
    assert dimensions["market_run"] == {"day_ahead": 3, "real_time": 1}
    assert dimensions["fuel"] == {"wind": 1}


async def test_quality_counts_what_is_held_back_and_refused(client: httpx.AsyncClient) -> None:
    quality = {(one["source"], one["dataset"]): one for one in await data(client, "quality")}
    prices = quality["nyiso", "damlbmp_zone"]
    assert (prices["series"], prices["quarantined"], prices["refused_files"]) == (2, 2, 1)
    assert prices["reasons"] == {"non_numeric": 2}
    assert prices["stale"] is True


async def test_completeness_shows_the_days_with_something_missing(client: httpx.AsyncClient) -> None:
    days = await data(client, "quality/completeness", series=NYC, incomplete=False)
    assert [(one["day"], one["expected"], one["present"]) for one in days if one["day"] == "2025-11-02"] == [
        ("2025-11-02", 25, 25)
    ]
    (incomplete,) = await data(client, "quality/completeness", series=HOUSTON)
    assert incomplete["missing"] == incomplete["expected"] - incomplete["present"] > 0


async def test_files_come_newest_first_in_pages(client: httpx.AsyncClient) -> None:
    everything = await data(client, "quality/files")
    assert len(everything) == len(invented_series()) + 1
    ids = [one["file_id"] for one in everything]
    assert ids == sorted(ids, reverse=True)
    first = (await client.get("/v2/catalog/quality/files", params={"limit": 4})).json()
    rest = await data(client, "quality/files", cursor=first["meta"]["next_cursor"])
    assert [one["file_id"] for one in first["data"] + rest] == ids
    (refused,) = await data(client, "quality/files", status="refused")
    assert (refused["name"], refused["reason"]) == ("empty.csv", "the file is empty")


async def test_quarantine_names_file_line_column_and_reason(client: httpx.AsyncClient) -> None:
    rows = await data(client, "quality/quarantine", source="nyiso")
    assert [(one["line"], one["column"], one["raw"], one["reason"]) for one in rows] == [(7, "value", "n/a", "non_numeric")] * 2
    assert await data(client, "quality/quarantine", reason="duplicate_key") == []
    first = (await client.get("/v2/catalog/quality/quarantine", params={"limit": 2})).json()
    rest = await data(client, "quality/quarantine", cursor=first["meta"]["next_cursor"])
    assert len({one["row_id"] for one in first["data"] + rest}) == 3
    assert {one["digest"] for one in rows} != set()
    assert WEST.split(":")[1] in {one["dataset"] for one in rows}
