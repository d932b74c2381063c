"""Search of series over HTTP: order, filters, facets, pages, words that mean nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest
from api_market import HOUSTON, NYC, WEST

from aurum.core.errors import Unavailable
from aurum.core.search.ranking import KnownNames
from aurum.storage.postgres.catalog.search import PostgresSearch

pytestmark = pytest.mark.needs_postgres

PAL = "nyiso:pal:61761:load"


async def search(client: httpx.AsyncClient, q: str, **params: str | int) -> dict[str, Any]:
    response = await client.get("/v2/search", params={"q": q, **params})
    assert response.status_code == 200, response.text[:300]
    return response.json()


async def keys(client: httpx.AsyncClient, q: str, **params: str | int) -> list[str]:
    return [one["key"] for one in (await search(client, q, **params))["data"]]


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("new york city day ahead", NYC),
        ("N.Y.C. lmp", NYC),
        ("NÝC", NYC),
        ("nyc load", PAL),
        ("61761 lmp", NYC),
        ("new york city dayahed", NYC),
        ("zone a", WEST),
        ("houston", HOUSTON),
        ("hous", HOUSTON),
        ("nyc & ! | :* lmp", NYC),
        ("nyc%' OR 1=1 --", NYC),
    ],
)
async def test_words_find_a_series_first(client: httpx.AsyncClient, q: str, first: str) -> None:
    assert (await keys(client, q))[0] == first


async def test_series_with_all_words_come_before_those_with_some(client: httpx.AsyncClient) -> None:
    answer = await search(client, "new york city lmp")
    terms = [hit["match"]["terms"] for hit in answer["data"]]
    assert (answer["meta"]["terms"], terms[0]) == (2, 2)
    assert terms == sorted(terms, reverse=True)
    assert {WEST, PAL} <= {hit["key"] for hit in answer["data"] if hit["match"]["terms"] == 1}


async def test_filters_limit_a_search(client: httpx.AsyncClient) -> None:
    assert await keys(client, "nyc", measure="load") == [PAL]
    assert await keys(client, "nyc", market="nyiso", kind="price") == [NYC]
    assert await keys(client, "nyc", market_run="day_ahead", location_type="zone") == [NYC]
    assert await keys(client, "nyc", source="unknown") == []


async def test_facets_count_the_series_that_have_all_words(client: httpx.AsyncClient) -> None:
    answer = await search(client, "nyc", facets="market,measure", limit=1)
    assert answer["facets"] == {"market": {"NYISO": 2}, "measure": {"lmp": 1, "load": 1}}
    assert (answer["meta"]["total"], answer["meta"]["count"]) == (2, 1)
    every = (await search(client, "nyc", facets="true"))["facets"]
    assert list(every) == ["source", "dataset", "market", "kind", "measure", "fuel", "location_type", "market_run"]
    assert (await search(client, "nyc"))["facets"] is None


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_give_every_result_once_in_order(client: httpx.AsyncClient, limit: int) -> None:
    whole = await keys(client, "price nyiso", limit=1000)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        answer = await search(client, "price nyiso", limit=limit, **({"cursor": cursor} if cursor else {}))
        seen += [one["key"] for one in answer["data"]]
        cursor = answer["meta"]["next_cursor"]
        if cursor is None:
            break
    assert seen == whole
    assert len(set(seen)) == len(seen) > limit


async def test_how_words_were_read_is_told(client: httpx.AsyncClient) -> None:
    meta = (await search(client, "nyc congestoin lmp"))["meta"]
    readings = {one["text"]: (one["read_as"], one["how"]) for one in meta["readings"]}
    assert readings["congestoin"] == ("congestion", "mended")
    assert readings["nyc"][1] == readings["lmp"][1] == "alias"
    assert meta["mends_spelling"] is True
    assert (await search(client, "nyc"))["meta"]["mends_spelling"] is None


async def test_without_results_close_words_are_suggested(client: httpx.AsyncClient) -> None:
    answer = await search(client, "xyzzyqwv")
    assert (answer["data"], answer["meta"]["suggestions"], answer["meta"]["next_cursor"]) == ([], [], None)
    assert answer["meta"]["readings"] == [{"text": "xyzzyqwv", "read_as": "", "how": "unknown"}]
    answer = await search(client, "houston", source="nyiso")
    assert answer["data"] == []


@pytest.mark.parametrize(
    "q", ["", " ", "& | ! :*", "%%__", "nyc\0", "x" * 10_000, "one two three four five six seven eight nine ten eleven"]
)
async def test_a_query_without_a_usable_word_is_refused(client: httpx.AsyncClient, q: str) -> None:
    response = await client.get(f"/v2/search?q={quote(q)}")
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "q"


@pytest.mark.parametrize(
    ("params", "parameter"),
    [
        ({"facets": "colour"}, "facets"),
        ({"kind": "prise"}, "kind"),
        ({"limit": "0"}, "limit"),
        ({"cursor": "invented"}, "cursor"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_parameter_is_named(client: httpx.AsyncClient, params: dict[str, str], parameter: str) -> None:
    response = await client.get("/v2/search", params={"q": "nyc", **params})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == parameter


async def test_the_cursor_of_another_query_is_refused(client: httpx.AsyncClient) -> None:
    cursor = (await search(client, "price", limit=1))["meta"]["next_cursor"]
    response = await client.get("/v2/search", params={"q": "load", "limit": 1, "cursor": cursor})
    assert response.status_code == 422


async def test_the_documentation_finds_series(client: httpx.AsyncClient) -> None:
    hits = (await client.get("/docs/search", params={"q": "new york city day ahead"})).json()
    assert [hit["name"] for hit in hits if hit["kind"] == "series"] == [NYC]
    assert (await client.get(hits[-1]["url"])).status_code == 200
    page = (await client.get("/docs", params={"q": "new york city day ahead"})).text
    assert NYC in page


async def test_the_documentation_is_searched_while_the_store_is_away(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def known_names(*_: object) -> KnownNames:
        raise Unavailable("the store does not answer")

    monkeypatch.setattr(PostgresSearch, "known_names", known_names)
    assert (await client.get("/v2/search", params={"q": "cursor"})).status_code == 503
    answer = await client.get("/docs/search", params={"q": "cursor"})
    assert answer.status_code == 200
    kinds = {hit["kind"] for hit in answer.json()}
    assert kinds
    assert "series" not in kinds
    assert (await client.get("/docs", params={"q": "cursor"})).status_code == 200
