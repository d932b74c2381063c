"""The sample files, ingested and read back over HTTP, against sums taken over the raw files by other means."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from aurum.api.testing import serving
from aurum.common.settings import DatabaseSettings, Settings
from aurum.pipelines.loading.sample import sample_files

pytestmark = pytest.mark.needs_postgres

FALL_BACK = {"start": "2025-11-02", "end": "2025-11-03", "tz": "market"}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sample(sample_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(Settings(database=DatabaseSettings(url=sample_url, pool_size=4))) as served:
        yield served.client


def raw(name: str) -> list[dict[str, str]]:
    """The rows of a sample file, as the standard library reads them."""
    path = next(path for path in sample_files() if path.name == name)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def zones_of_the_fall_back_day() -> dict[str, list[float]]:
    """Prices by PTID, in the order of the file: the repeated hour stands there twice."""
    prices: dict[str, list[float]] = defaultdict(list)
    for row in raw("20251102damlbmp_zone.csv"):
        prices[row["PTID"]].append(float(row["LBMP ($/MWHr)"]))
    return prices


async def read(client: httpx.AsyncClient, key: str, **params: str) -> list[dict[str, float]]:
    response = await client.get(f"/v2/series/{key}/observations", params=params)
    assert response.status_code == 200, response.text[:300]
    return response.json()["data"]


async def test_every_zone_of_the_fall_back_day_is_its_25_numbers_in_the_file(sample: httpx.AsyncClient) -> None:
    zones = zones_of_the_fall_back_day()
    assert len(zones) == 3
    for ptid, expected in zones.items():
        rows = await read(sample, f"nyiso:damlbmp_zone:{ptid}:lmp", **FALL_BACK)
        assert [row["value"] for row in rows] == expected
        assert len(expected) == 25


@pytest.mark.parametrize("agg", ["mean", "sum", "min", "max", "count"])
async def test_aggregates_of_the_fall_back_day_are_those_of_the_file(sample: httpx.AsyncClient, agg: str) -> None:
    prices = zones_of_the_fall_back_day()["61761"]
    expected = {"mean": sum(prices) / 25, "sum": sum(prices), "min": min(prices), "max": max(prices), "count": 25}[agg]
    (row,) = await read(sample, "nyiso:damlbmp_zone:61761:lmp", **FALL_BACK, freq="1d", agg=agg)
    assert row["value"] == pytest.approx(expected)


async def test_a_wide_table_of_all_zones_is_the_file_turned_round(sample: httpx.AsyncClient) -> None:
    zones = zones_of_the_fall_back_day()
    keys = [f"nyiso:damlbmp_zone:{ptid}:lmp" for ptid in zones]
    response = await sample.get("/v2/observations", params={"series": keys, "layout": "wide", "format": "csv", **FALL_BACK})
    header, *lines = csv.reader(response.text.splitlines())
    assert header == ["start", "end", *keys]
    assert [[float(cell) for cell in line[2:]] for line in lines] == [list(hour) for hour in zip(*zones.values(), strict=True)]


async def test_natural_gas_converts_to_the_unit_of_power(sample: httpx.AsyncClient) -> None:
    candidates = (await sample.get("/v2/series", params={"text": "henry_hub", "source": "datahub"})).json()["data"]
    (gas,) = (one for one in candidates if one["frequency"] == "1d")
    span = {"start": "2025-07-01", "end": "2025-08-01", "tz": "market"}
    expected = [float(row["Price"]) for row in raw("henry_hub_daily.csv") if row["Date"].startswith("2025-07")]
    assert len(expected) > 15
    assert [row["value"] for row in await read(sample, gas["key"], **span)] == expected
    # A MWh is 3.412 141 633 MMBtu.
    per_mwh = await read(sample, gas["key"], **span, unit="USD/MWh")
    assert [row["value"] for row in per_mwh] == [pytest.approx(value * 3.412141633) for value in expected]


async def test_prices_convert_at_the_rate_of_their_day_in_the_file_of_the_ecb(sample: httpx.AsyncClient) -> None:
    span = {"start": "2024-06-03", "end": "2024-06-08", "tz": "market"}
    key = "nyiso:damlbmp_zone:61761:lmp"
    dollars, euros = await read(sample, key, **span), await read(sample, key, **span, currency="EUR")
    rates = {row["Date"]: float(row["USD"]) for row in raw("eurofxref-hist.csv")}
    assert len(dollars) == 5 * 24
    for dollar, euro in zip(dollars, euros, strict=True):
        assert dollar["value"] / euro["value"] == pytest.approx(rates[str(dollar["start"])[:10]])


async def all_series(client: httpx.AsyncClient, limit: int) -> list[dict[str, str]]:
    series: list[dict[str, str]] = []
    url = f"/v2/series?limit={limit}"
    while url:
        response = await client.get(url)
        series += response.json()["data"]
        url = response.headers.get("link", "").removeprefix("<").removesuffix('>; rel="next"')
    return series


async def test_pages_of_seven_are_the_list_in_one_go(sample: httpx.AsyncClient) -> None:
    whole = await all_series(sample, 1000)
    assert len(whole) > 100
    assert await all_series(sample, 7) == whole


async def test_every_unit_of_every_series_is_known_and_converts_to_itself(sample: httpx.AsyncClient) -> None:
    one_of_each = {(one["source"], one["dataset"], one["unit"]): one for one in await all_series(sample, 1000)}
    assert len(one_of_each) > 20
    for one in one_of_each.values():
        params = {"start": one["last"], "format": "csv"}
        path = f"/v2/series/{one['key']}/observations"
        own = await sample.get(path, params=params)
        assert own.text.count("\n") > 1, one["key"]
        same = await sample.get(path, params={**params, "unit": one["unit"]})
        assert same.status_code == 200, (one["key"], same.text[:300])
        assert [line.split(",")[2] for line in same.text.splitlines()] == [line.split(",")[2] for line in own.text.splitlines()]


async def test_every_dataset_reads_alike_in_json_ndjson_and_csv(sample: httpx.AsyncClient) -> None:
    one_of_each = {(one["source"], one["dataset"], one["measure"]): one for one in await all_series(sample, 1000)}
    for one in one_of_each.values():
        path = f"/v2/series/{one['key']}/observations"
        params = {"tz": "market", "start": one["first"]}
        lines = (await sample.get(path, params={**params, "format": "ndjson"})).text.splitlines()
        rows = [json.loads(line) for line in lines]
        assert rows
        assert rows == (await sample.get(path, params=params)).json()["data"], one["key"]
        table = csv.DictReader((await sample.get(path, params={**params, "format": "csv"})).text.splitlines())
        values = [None if line["value"] == "" else float(line["value"]) for line in table]
        assert values == [row["value"] for row in rows], one["key"]
