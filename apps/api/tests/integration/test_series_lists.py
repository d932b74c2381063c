"""Lists of series: filters, pages, cursors."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from api_market import EMPTY, FIRST_KNOWN, LONG, NYC, NYC_HOURS, NYC_START, WEST, InventedSeries, file_of, invented_series

from aurum.api.testing import serving
from aurum.common.settings import DatabaseSettings, Settings
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

KEYS = sorted(entry.key for entry in invented_series())


async def keys(client: httpx.AsyncClient, **params: str | int) -> list[str]:
    response = await client.get("/v2/series", params=params)
    assert response.status_code == 200, response.text[:300]
    return [one["key"] for one in response.json()["data"]]


async def test_series_come_by_key(client: httpx.AsyncClient) -> None:
    assert await keys(client) == KEYS


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"source": "nyiso"}, [key for key in KEYS if key.startswith("nyiso:")]),
        ({"source": "nyiso", "dataset": "pal"}, ["nyiso:pal:61761:load"]),
        ({"market": "NYISO", "measure": "lmp"}, [WEST, NYC]),
        ({"market": "nyiso", "measure": "lmp"}, [WEST, NYC]),
        ({"location": "61761"}, [NYC, "nyiso:pal:61761:load"]),
        ({"text": "HOUSTON"}, ["ercot:dam_spp:HB_HOUSTON:spp"]),
        ({"text": "n.y.c"}, [NYC, "nyiso:pal:61761:load"]),
        ({"text": "50%"}, ["pjm:da_hrl_lmps:A/B, 50% C.D:E/observations:lmp"]),
        ({"text": "_"}, [key for key in KEYS if "_" in key]),
        ({"source": "nobody"}, []),
        ({"kind": "price", "market_run": "day_ahead"}, ["ercot:dam_spp:HB_HOUSTON:spp", WEST, NYC]),
        ({"kind": "generation", "fuel": "WIND"}, [LONG]),
        ({"market_run": "real_time"}, ["nyiso:pal:61761:load"]),
        ({"fuel": "nuclear"}, []),
        ({"location_type": "zone", "kind": "load"}, ["nyiso:pal:61761:load"]),
        ({"location_type": "hub"}, []),
    ],
)
async def test_every_filter_must_match(client: httpx.AsyncClient, params: dict[str, str], expected: list[str]) -> None:
    assert await keys(client, **params) == expected


@pytest.mark.parametrize(
    ("parameter", "value", "nearest"),
    [
        ("kind", "generaton", "generation"),
        ("fuel", "wnd", "wind"),
        ("market_run", "dayahead", "day_ahead"),
        ("fuel", "x", "gas"),
    ],
)
async def test_an_unknown_value_of_a_closed_list_names_the_parameter_and_the_nearest_values(
    client: httpx.AsyncClient, parameter: str, value: str, nearest: str
) -> None:
    response = await client.get("/v2/series", params={parameter: value})
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert (error["field"], error["value"]) == (parameter, value)
    assert f"unknown {parameter} {value!r}" in error["message"]
    assert nearest in error["message"]


async def test_a_series_shows_its_dimensions(client: httpx.AsyncClient) -> None:
    shown = (await client.get(f"/v2/series/{LONG}")).json()["data"]
    assert {name: shown[name] for name in ("kind", "market_run", "fuel", "fuel_detail")} == {
        "kind": "generation",
        "market_run": None,
        "fuel": "wind",
        "fuel_detail": None,
    }


@pytest.mark.parametrize("limit", [1, 2, 5, len(KEYS), 1000])
async def test_pages_make_up_the_list(client: httpx.AsyncClient, limit: int) -> None:
    listed: list[str] = []
    url = f"/v2/series?limit={limit}"
    while url:
        response = await client.get(url)
        page = response.json()
        assert page["meta"]["count"] == len(page["data"]) <= limit == page["meta"]["limit"]
        listed += [one["key"] for one in page["data"]]
        link = response.headers.get("link", "")
        assert (page["meta"]["next_cursor"] is None) == (link == "")
        assert link == "" or link.endswith('>; rel="next"')
        url = link.removeprefix("<").removesuffix('>; rel="next"')
    assert listed == KEYS


async def test_a_cursor_holds_for_its_own_list_and_filters_only(client: httpx.AsyncClient) -> None:
    cursor = (await client.get("/v2/series?source=nyiso&limit=1")).json()["meta"]["next_cursor"]
    assert (await client.get("/v2/series", params={"source": "nyiso", "cursor": cursor, "limit": 2})).status_code == 200
    for path, params in (
        ("/v2/series", {"source": "ecb", "cursor": cursor}),
        ("/v2/series", {"cursor": cursor}),
        ("/v2/catalog/locations", {"source": "nyiso", "cursor": cursor}),
        ("/v2/series", {"source": "nyiso", "cursor": cursor[:-2] + "AA"}),
    ):
        assert (await client.get(path, params=params)).status_code == 422


async def test_the_link_keeps_the_filters(client: httpx.AsyncClient) -> None:
    link = (await client.get("/v2/series", params={"text": "n.y", "limit": 1})).headers["link"]
    query = parse_qs(urlsplit(link[1 : link.index(">")]).query)
    assert (query["text"], query["limit"]) == (["n.y"], ["1"])


async def test_a_series_says_what_it_is_and_over_what_time(client: httpx.AsyncClient) -> None:
    described = (await client.get(f"/v2/series/{NYC}")).json()["data"]
    names = ("key", "source", "dataset", "market", "location", "measure", "unit", "frequency")
    assert [described[name] for name in names] == [
        NYC, "nyiso", "damlbmp_zone", "NYISO", "61761", "lmp", "USD/MWh", "1h",
    ]  # fmt: skip
    assert (described["first"], described["last"]) == ("2025-10-31T04:00:00Z", "2025-11-05T04:00:00Z")
    count = (await client.get(f"/v2/series/{NYC}/observations")).json()["meta"]["count"]
    assert count == NYC_HOURS


async def test_a_series_without_observations_has_no_first_and_last(client: httpx.AsyncClient) -> None:
    described = (await client.get(f"/v2/series/{EMPTY}")).json()["data"]
    assert (described["first"], described["last"]) == (None, None)


def named(name: str) -> InventedSeries:
    return InventedSeries(f"invented:walk:{name}:load", "MW", "1h", "UTC", None, [(NYC_START, 1.0, FIRST_KNOWN, 0)])


async def test_a_walk_sees_every_series_once_while_new_ones_arrive(database_url: str, postgres_store: PostgresStore) -> None:
    old = [f"{number:02d}" for number in range(0, 40, 2)]
    for name in old:
        await postgres_store.loader.load(file_of(named(name)))
    locations: list[str] = []
    async with serving(Settings(database=DatabaseSettings(url=database_url, pool_size=2))) as served:
        url = "/v2/series?source=invented&limit=7"
        while url:
            response = await served.client.get(url)
            locations += [one["location"] for one in response.json()["data"]]
            # One before the place the walk has come to and one after it.
            for step in (-1, 1):
                await postgres_store.loader.load(file_of(named(f"{int(locations[-1]) + step:02d}")))
            url = response.headers.get("link", "").removeprefix("<").removesuffix('>; rel="next"')
    assert locations == sorted(set(locations))
    assert set(old) <= set(locations)
    assert set(locations) - set(old), "a series that arrived ahead of the walk is in it"
