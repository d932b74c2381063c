"""The surface of the earlier Aurum: its paths, parameters, fields, errors and pages, over the sample files."""

from __future__ import annotations

import csv
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import fmean, stdev
from typing import cast

import httpx
import pytest
import pytest_asyncio

from aurum.api.testing import InMemory, InventedSeries, MovableClock, changed, file_of, hourly, on_clock, serving
from aurum.assembly.postgres import open_live_store
from aurum.assembly.store import StoreParts
from aurum.common.clock import SystemClock
from aurum.common.settings import AccessSettings, ApiSettings, DatabaseSettings, Settings
from aurum.core.api_keys import key_text
from aurum.core.catalog.entries import DatasetEntry, SourceEntry
from aurum.core.errors import Unavailable
from aurum.pipelines.loading.sample import sample_files
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import ApiKey
from aurum.storage.ports.catalog import Catalog
from aurum.storage.testing.access import insert_key

HOURLY = "/v1/iso/lmp/hourly?iso_code=NYISO&market=REAL_TIME&start=2022-07-18&end=2022-07-19"

RATES = DatasetEntry("ecb", "reference_rates", "Reference rates", "Europe/Brussels", "1d", (), None, freshness_hours=36)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def v1(sample_url: str) -> AsyncIterator[httpx.AsyncClient]:
    database = DatabaseSettings(url=sample_url, pool_size=3)
    async with serving(Settings(database=database, api=ApiSettings(enable_v1=True))) as served:
        yield served.client


def prices_in_file(name: str) -> dict[str, list[float]]:
    """Prices by PTID, in the order of a file of the sample."""
    path = next(path for path in sample_files() if path.name == name)
    prices: dict[str, list[float]] = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            prices[row["PTID"]].append(float(row["LBMP ($/MWHr)"]))
    return prices


async def pages(client: httpx.AsyncClient, url: str, limit: int) -> list[dict[str, object]]:
    """All rows, page after page."""
    rows: list[dict[str, object]] = []
    cursor = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = (await client.get(httpx.URL(url).copy_merge_params({"limit": limit, **more}))).json()
        assert answer["meta"]["count"] == len(answer["data"]) <= limit
        rows += answer["data"]
        cursor = answer["meta"]["next_cursor"]
        assert answer["meta"]["has_more"] == (cursor is not None)
        if cursor is None:
            return rows


async def test_it_is_off_unless_settings_turn_it_on(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/curves")).status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/metadata/units", 200),
        ("/v1/curves", 200),
        ("/v1/curves/diff", 400),
        ("/v1/iso/lmp/hourly?iso_code=nowhere", 400),
        ("/v1/metadata/locations/NYISO/none", 404),
        ("/v1/nothing/here", 404),
    ],
)
async def test_every_answer_says_that_it_is_deprecated(v1: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await v1.get(path)
    assert answer.status_code == status
    assert (answer.headers["deprecation"], answer.headers["x-api-version"]) == ("true", "v1")
    assert answer.headers["sunset"] == "Wed, 31 Dec 2025 23:59:59 GMT"
    assert answer.headers["warning"].startswith("299 ")
    assert {'rel="deprecation"', 'rel="successor-version"'} <= {
        part.strip() for link in answer.headers.get_list("link") for part in link.split(";")
    }
    guide = await v1.get(answer.headers["x-api-migration-guide"], headers={"accept": "text/html"})
    assert guide.status_code == 200


async def test_a_client_without_a_credential_gets_the_same_headers(sample_url: str) -> None:
    settings = Settings(
        database=DatabaseSettings(url=sample_url, pool_size=2),
        api=ApiSettings(enable_v1=True),
        access=AccessSettings(mode="required"),
    )
    async with serving(settings) as served:
        answer = await served.client.get("/v1/metadata/units")
    assert (answer.status_code, answer.headers["deprecation"]) == (401, "true")


async def test_problems_are_those_of_v1(v1: httpx.AsyncClient) -> None:
    answer = await v1.get("/v1/metadata/calendars/nyiso/hours", params={"block": "ON_PEAK", "date": "soon"})
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert problem["type"] == "https://api.aurum.com/problems/validation-error"
    assert problem["timestamp"].endswith("Z")
    (error,) = problem["errors"]
    assert (error["field"], error["value"], error["code"], error["constraint"]) == ("date", "soon", "invalid_value", "format")
    missing = (await v1.get("/v1/metadata/calendars/nyiso/hours", params={"block": "ON_PEAK"})).json()["errors"]
    assert [(one["field"], one["code"], one["constraint"]) for one in missing] == [("date", "missing_field", "required")]
    gone = await v1.get("/v1/metadata/calendars/nowhere/blocks")
    assert (gone.status_code, gone.json()["type"]) == (404, "https://api.aurum.com/problems/not-found")


async def test_a_day_of_25_hours_is_one_row_with_the_statistics_of_the_file(v1: httpx.AsyncClient) -> None:
    expected = prices_in_file("20251102damlbmp_zone.csv")
    span = {"iso_code": "nyiso", "market": "DA", "start": "2025-11-02", "end": "2025-11-03"}
    rows = (await v1.get("/v1/iso/lmp/daily", params=span)).json()["data"]
    assert {row["location_id"] for row in rows} == set(expected)
    for row in rows:
        prices = expected[row["location_id"]]
        assert (row["interval_start"], row["sample_count"]) == ("2025-11-02T04:00:00Z", 25)
        assert (row["price_min"], row["price_max"]) == (min(prices), max(prices))
        assert row["price_avg"] == pytest.approx(fmean(prices))
        assert row["price_stddev"] == pytest.approx(stdev(prices))
        assert (row["iso_code"], row["market"], row["currency"], row["uom"]) == ("NYISO", "DAY_AHEAD", "USD", "MWh")


async def test_a_moment_within_a_day_or_an_hour_means_the_whole_of_it(v1: httpx.AsyncClient) -> None:
    whole = (await v1.get("/v1/iso/lmp/daily?iso_code=NYISO&start=2025-11-02&end=2025-11-03")).json()["data"]
    inside = "start=2025-11-02T10:00:00Z&end=2025-11-02T10:30:00Z"
    assert (await v1.get(f"/v1/iso/lmp/daily?iso_code=NYISO&{inside}")).json()["data"] == whole
    hours = (await v1.get(f"/v1/iso/lmp/hourly?iso_code=NYISO&{inside}")).json()["data"]
    assert {hour["interval_start"] for hour in hours} == {"2025-11-02T10:00:00Z"}


async def test_negative_prices_are_those_of_the_file_with_their_components(v1: httpx.AsyncClient) -> None:
    rows = await pages(v1, "/v1/iso/lmp/negative?iso_code=CAISO&start=2020-05-10&end=2020-05-12", 3)
    path = next(path for path in sample_files() if path.name.startswith("20200510_20200511_PRC_LMP_DAM"))
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    parts = {"LMP": "price_total", "MCE": "price_energy", "MCC": "price_congestion", "MCL": "price_loss"}
    by_start: dict[str, dict[str, float]] = defaultdict(dict)
    for row in lines:
        if row["LMP_TYPE"] in parts:
            by_start[row["INTERVALSTARTTIME_GMT"].replace("-00:00", "Z")][parts[row["LMP_TYPE"]]] = float(row["MW"])
    expected = {start: values for start, values in by_start.items() if values["price_total"] < 0}
    assert len(expected) == 4
    assert {row["interval_start"]: {part: row[part] for part in parts.values()} for row in rows} == expected
    assert {(row["interval_minutes"], row["timezone"], row["settlement_point"]) for row in rows} == {
        (60, "America/Los_Angeles", None)
    }


@pytest.mark.parametrize(
    "url",
    [
        HOURLY,
        "/v1/iso/lmp/hourly?start=2022-07-18&end=2022-07-19",
        "/v1/metadata/locations",
        "/v1/metadata/locations?iso=NYISO&prefix=n",
        "/v1/ref/eia/series",
        "/v1/external/series",
        "/v1/external/providers",
        "/v1/external/series/ecb:reference_rates:EURUSD:rate/observations?start_date=2025-04-01",
        "/v1/drought/indices",
        "/v1/metadata/eia/datasets",
    ],
)
async def test_pages_side_by_side_are_the_whole(v1: httpx.AsyncClient, url: str) -> None:
    whole = await pages(v1, url, 1000)
    assert len(whole) > 3
    assert await pages(v1, url, len(whole) // 3 + 1) == whole
    if len(whole) < 200:
        assert await pages(v1, url, 1) == whole


async def test_a_cursor_leads_back_to_the_previous_page(v1: httpx.AsyncClient) -> None:
    first = (await v1.get(f"{HOURLY}&limit=2")).json()
    second = (await v1.get(f"{HOURLY}&limit=2&since_cursor={first['meta']['next_cursor']}")).json()
    third = (await v1.get(f"{HOURLY}&limit=2&cursor={second['meta']['next_cursor']}")).json()
    assert len({str(page["data"]) for page in (first, second, third)}) == 3
    back = (await v1.get(f"{HOURLY}&limit=2&prev_cursor={third['meta']['prev_cursor']}")).json()
    assert back["data"] == second["data"]
    home = (await v1.get(f"{HOURLY}&limit=2&prev_cursor={back['meta']['prev_cursor']}")).json()
    assert (home["data"], home["meta"]["prev_cursor"]) == (first["data"], None)


async def test_cursors_are_good_for_their_own_list_and_filters(v1: httpx.AsyncClient) -> None:
    answer = await v1.get(f"{HOURLY}&limit=2")
    cursor = answer.json()["meta"]["next_cursor"]
    for url, cursor_text, message in [
        (HOURLY, cursor[:-4] + "AAAA", "the cursor is invalid: start again without it"),
        (HOURLY, "x", "the cursor is invalid: start again without it"),
        (HOURLY.replace("REAL_TIME", "DA"), cursor, "the cursor belongs to other filters: send those it was made with"),
        ("/v1/external/series", cursor, "the cursor belongs to other filters: send those it was made with"),
    ]:
        refused = await v1.get(httpx.URL(url).copy_merge_params({"cursor": cursor_text}))
        assert (refused.status_code, refused.json()["detail"]) == (400, message)
    links = answer.headers["link"]
    assert 'rel="next"' in links
    assert 'rel="canonical"' in links


async def test_a_csv_says_what_the_json_says(v1: httpx.AsyncClient) -> None:
    rows = (await v1.get(f"{HOURLY}&limit=5")).json()
    answer = await v1.get(f"{HOURLY}&limit=5&format=csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="lmp-hourly.csv"'
    # A cursor holds the second it was made in, so two of one page need not be the same text.
    following = [
        (await v1.get(f"{HOURLY}&limit=5&cursor={cursor}")).json()["data"]
        for cursor in (answer.headers["x-next-cursor"], rows["meta"]["next_cursor"])
    ]
    assert following[0] == following[1] != rows["data"]
    lines = list(csv.DictReader(answer.text.splitlines()))
    assert [(line["interval_start"], float(line["price_avg"])) for line in lines] == [
        (row["interval_start"], row["price_avg"]) for row in rows["data"]
    ]
    empty = await v1.get("/v1/iso/lmp/hourly?start=1999-01-01&end=1999-01-02&format=csv")
    assert empty.text == answer.text.splitlines()[0] + "\n"


@pytest.mark.parametrize("format", ["json", "csv"])
async def test_tags_are_of_the_data_and_save_the_second_answer(v1: httpx.AsyncClient, format: str) -> None:
    url = f"{HOURLY}&limit=5&format={format}"
    first, second = await v1.get(url), await v1.get(url)
    assert first.headers["etag"] == second.headers["etag"]
    assert first.headers["cache-control"] == "public, max-age=60, stale-while-revalidate=30, stale-if-error=180"
    unchanged = await v1.get(url, headers={"if-none-match": first.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == first.headers["etag"]
    assert unchanged.headers["cache-control"] == first.headers["cache-control"]


async def test_hours_of_a_block_know_the_clock(v1: httpx.AsyncClient) -> None:
    path = "/v1/metadata/calendars/nyiso"
    off = (await v1.get(f"{path}/hours", params={"block": "OFF_PEAK", "date": "2025-11-02"})).json()["data"]
    assert len(off) == 25
    assert off[1:3] == ["2025-11-02T01:00:00-04:00", "2025-11-02T01:00:00-05:00"]
    span = {"start": "2025-11-03", "end": "2025-11-04"}
    on = (await v1.get(f"{path}/expand", params={"block": "ON_PEAK", **span})).json()["data"]
    assert (len(on), on[0], on[-1]) == (32, "2025-11-03T07:00:00-05:00", "2025-11-04T22:00:00-05:00")
    assert "ON_PEAK" in (await v1.get(f"{path}/blocks")).json()["data"]
    assert {"name": "nyiso", "timezone": "America/New_York"} in (await v1.get("/v1/metadata/calendars")).json()["data"]


async def test_spellings_of_units_are_mapped(v1: httpx.AsyncClient) -> None:
    rows = (await v1.get("/v1/metadata/units/mapping?prefix=$/MWh")).json()["data"]
    assert rows[0] == {"units_raw": "$/MWh", "currency": "USD", "per_unit": "MWh"}
    units = (await v1.get("/v1/metadata/units")).json()["data"]
    assert {"USD", "EUR"} <= set(units["currencies"])
    assert {"MWh", "USD/MWh"} <= set(units["units"])


async def test_a_location_is_found_by_its_operators_id(v1: httpx.AsyncClient) -> None:
    location = (await v1.get("/v1/metadata/locations/nyiso/61761")).json()["data"]
    assert location == {
        "iso": "NYISO",
        "location_id": "61761",
        "location_name": "N.Y.C.",
        "location_type": "ZONE",
        "zone": "N.Y.C.",
        "hub": None,
        "timezone": "America/New_York",
    }


async def test_dimensions_count_series(v1: httpx.AsyncClient) -> None:
    answer = (await v1.get("/v1/metadata/dimensions?dims=iso,tenor_type&include_counts=true")).json()
    assert answer["data"] == {"iso": ["CAISO", "ERCOT", "NYISO"], "tenor_type": []}
    assert {one["value"] for one in answer["counts"]["iso"]} == {"CAISO", "ERCOT", "NYISO"}
    assert (await v1.get("/v1/metadata/dimensions?dims=isos")).status_code == 400


async def test_values_of_eia_are_those_of_the_file_by_period(v1: httpx.AsyncClient) -> None:
    path = next(path for path in sample_files() if path.name == "eia_ng_storage_weekly.csv")
    with path.open(newline="", encoding="utf-8") as file:
        values = {row["date"]: float(row["value"]) for row in csv.DictReader(file) if row["date"] >= "2026"}
    rows = await pages(v1, "/v1/ref/eia/series?dataset=gas_storage_weekly&frequency=weekly&area=R48&start=2026-01-01", 7)
    assert {row["period"]: row["value"] for row in rows} == values
    for row in rows:
        assert (row["canonical_unit"], row["frequency"], row["area"]) == ("Bcf", "WEEKLY", "R48")
    one = (await v1.get(f"/v1/ref/eia/series?series_id={rows[0]['series_id']}&limit=3&offset=2")).json()["data"]
    assert one == (await v1.get(f"/v1/ref/eia/series?series_id={rows[0]['series_id']}&limit=5")).json()["data"][2:]
    assert (await v1.get("/v1/ref/eia/series?frequency=sometimes")).status_code == 400


async def test_filter_values_of_eia_are_those_of_its_series(v1: httpx.AsyncClient) -> None:
    dimensions = (await v1.get("/v1/ref/eia/series/dimensions?frequency=HOURLY")).json()["data"]
    assert (dimensions["dataset"], dimensions["frequency"], dimensions["source"]) == (["rto_interchange"], ["HOURLY"], ["eia"])


async def test_external_values_are_those_known_by_a_day(v1: httpx.AsyncClient) -> None:
    url = "/v1/external/series/ecb:reference_rates:EURUSD:rate/observations"
    path = next(path for path in sample_files() if path.name == "eurofxref-hist.csv")
    with path.open(newline="", encoding="utf-8") as file:
        values = {row["Date"]: float(row["USD"]) for row in csv.DictReader(file) if row["Date"].startswith("2025-04")}
    rows = (await v1.get(url, params={"start_date": "2025-04-01", "end_date": "2025-04-30"})).json()["data"]
    assert {row["date"]: row["value"] for row in rows} == values
    assert (await v1.get(url, params={"asof": "1999-01-01"})).json()["data"] == []
    assert (await v1.get("/v1/external/series/nyiso:damlbmp_zone:61761:lmp/observations")).status_code == 404
    assert (await v1.get("/v1/external/series?provider=nyiso")).status_code == 400


async def test_the_drought_index_is_found_by_its_region(v1: httpx.AsyncClient) -> None:
    rows = (await v1.get("/v1/drought/indices?region=NAME:CONUS&start=2009-01-06&end=2009-01-06")).json()["data"]
    (row,) = rows
    assert (row["valid_date"], row["value"], row["index"], row["region_id"]) == ("2009-01-06", 69.0, "DSCI", "CONUS")
    assert (await v1.get("/v1/drought/indices?index=SPI")).json()["data"] == []
    assert (await v1.get("/v1/drought/indices?region=CONUS")).status_code == 400
    assert (await v1.get("/v1/drought/dimensions")).json()["data"]["region_types"] == ["NAME"]


async def test_a_client_with_a_plan_gets_its_limits_under_the_names_of_v1(sample_url: str) -> None:
    settings = Settings(
        database=DatabaseSettings(url=sample_url, pool_size=2),
        api=ApiSettings(enable_v1=True),
        access=AccessSettings(mode="required"),
    )
    text, parts = key_text(secrets.token_bytes(40))
    async with serving(settings) as served:
        key = ApiKey(parts.key_id, "local", "test", ("user",), (), SystemClock().now(), "test", None)
        await insert_key(served.state["services"].store.transactions, key, parts.digest)
        answers = [await served.client.get("/v1/metadata/units", headers={"x-api-key": text}) for _ in range(2)]
    headers = answers[1].headers
    assert (answers[1].status_code, headers["x-ratelimit-tier"]) == (200, "enterprise")
    for name in ("limit", "remaining", "reset"):
        assert headers.get_list(f"x-ratelimit-{name}") == headers.get_list(f"ratelimit-{name}") != []
    assert (headers["x-ratelimit-daily-limit"], headers["x-ratelimit-daily-remaining"]) == ("1000000", "999998")
    assert headers["x-correlation-id"] == headers["x-request-id"]


async def test_an_offset_is_of_the_first_page_and_no_row_is_lost_after_it(v1: httpx.AsyncClient) -> None:
    url = "/v1/ref/eia/series?dataset=gas_storage_weekly&frequency=weekly&area=R48"
    whole = await pages(v1, url, 1000)
    assert await pages(v1, f"{url}&offset=2", 5) == whole[2:]
    first = await v1.get(f"{url}&offset=2&limit=5")
    following = first.links["next"]["url"]
    assert "offset" not in following
    assert (await v1.get(following)).json()["data"] == whole[7:12]


async def test_cursors_of_long_keys_are_short_enough_to_be_taken() -> None:
    store, start = MemoryStore(SystemClock()), datetime(2026, 1, 1, tzinfo=UTC)
    key = f"ecb:reference_rates:{'X' * 230}:rate"
    for number in range(6):
        series = replace(hourly(f"{key}{number}", start, [1.0, 2.0, 3.0]), market=None)
        await store.loader.load(file_of(series))
    await store.catalog_writer.declare(
        sources=[SourceEntry("ecb", "ECB", "https://www.ecb.europa.eu")], datasets=[RATES], blocks=[]
    )
    async with serving(Settings(api=ApiSettings(enable_v1=True)), InMemory(store)) as served:
        url = "/v1/external/series"
        assert len(await pages(served.client, url, 1)) == 6


async def test_a_store_that_is_away_is_a_503_of_version_1() -> None:
    class Away:
        async def dimensions(self) -> None:
            raise Unavailable("the store does not answer", retry_after=7.0)

    def away(store: StoreParts) -> StoreParts:
        return replace(store, catalog=replace(store.catalog, reader=cast("Catalog", Away())))

    opened = changed(InMemory(MemoryStore(SystemClock())), away)
    async with serving(Settings(api=ApiSettings(enable_v1=True)), opened) as served:
        answer = await served.client.get("/v1/metadata/dimensions?dims=iso")
    problem = answer.json()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert problem["type"] == "https://api.aurum.com/problems/service-unavailable"
    assert problem["timestamp"].endswith("Z")


async def test_markets_are_those_that_series_are_of(v1: httpx.AsyncClient) -> None:
    answer = (await v1.get("/v1/metadata/dimensions?dims=market&include_counts=true")).json()
    assert answer["data"]["market"] == ["DAY_AHEAD", "REAL_TIME"]
    assert all(one["count"] > 0 for one in answer["counts"]["market"])


async def test_locations_of_a_prefix_are_found_by_their_ids_behind_others_of_such_a_name() -> None:
    store, start = MemoryStore(SystemClock()), datetime(2026, 1, 1, tzinfo=UTC)
    for source, location, name in (
        ("caiso", "1", "Hub one"),
        ("caiso", "2", "Hub two"),
        ("nyiso", "HUB_A", ""),
        ("nyiso", "HUB_B", ""),
    ):
        series = replace(hourly(f"{source}:prices:{location}:lmp", start, [1.0]), name=name)
        await store.loader.load(file_of(series))
    async with serving(Settings(api=ApiSettings(enable_v1=True)), InMemory(store)) as served:
        answer = await served.client.get("/v1/metadata/dimensions?dims=location&prefix=hub&per_dim_limit=2")
    assert answer.json()["data"]["location"] == ["HUB_A", "HUB_B"]


async def test_a_cursor_expires(sample_url: str) -> None:
    clock = MovableClock(SystemClock().now())
    settings = Settings(database=DatabaseSettings(url=sample_url, pool_size=2), api=ApiSettings(enable_v1=True))
    async with serving(settings, on_clock(open_live_store, clock)) as served:
        cursor = (await served.client.get(f"{HOURLY}&limit=2")).json()["meta"]["next_cursor"]
        assert (await served.client.get(f"{HOURLY}&limit=2&cursor={cursor}")).status_code == 200
        clock.at += timedelta(hours=1, seconds=1)
        refused = await served.client.get(f"{HOURLY}&limit=2&cursor={cursor}")
    assert (refused.status_code, refused.json()["detail"]) == (400, "the cursor is older than an hour: start again without it")


async def test_shares_of_area_in_drought_are_side_by_side_and_null_where_one_is_missing() -> None:
    store, day = MemoryStore(SystemClock()), datetime(2026, 1, 6, 5, tzinfo=UTC)
    known_at = datetime(2026, 1, 8, tzinfo=UTC)
    for category, percent in (("d0", 50.0), ("d1", 25.0), ("d4", 0.0)):
        rows = [(day, percent, known_at, 0), (day + timedelta(days=7), percent + 1, known_at, 0)]
        key = f"drought_monitor:area_percent_cumulative:TX:area_{category}"
        await store.loader.load(file_of(InventedSeries(key, "%", "1w", "America/New_York", None, rows, name="Texas")))
    async with serving(Settings(api=ApiSettings(enable_v1=True)), InMemory(store)) as served:
        url = "/v1/drought/usdm?region=ZONE:TX"
        first = (await served.client.get(f"{url}&end=2026-01-06")).json()["data"]
        everything = await pages(served.client, url, 1)
        none = (await served.client.get("/v1/drought/usdm?region_id=CA")).json()["data"]
    (row,) = first
    shares = {name: value for name, value in row.items() if name.endswith("_frac")}
    assert shares == {"d0_frac": 0.5, "d1_frac": 0.25, "d2_frac": None, "d3_frac": None, "d4_frac": 0.0}
    assert (row["region_id"], row["region_name"], row["valid_date"]) == ("TX", "Texas", "2026-01-06")
    assert row["as_of"] == "2026-01-08T00:00:00Z"
    assert [one["d0_frac"] for one in everything] == [0.5, 0.51]
    assert none == []
