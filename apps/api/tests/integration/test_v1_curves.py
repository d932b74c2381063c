"""``/v1/curves``: the points of v1 from the quotes of today, page by page, as JSON and as CSV."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from api_curves import BASE, FRENCH, MONDAY, OPERATOR, PEAK, file_of, load_curves, product

from aurum.api.testing import InMemory, serving
from aurum.common.clock import SystemClock
from aurum.common.settings import ApiSettings, Settings
from aurum.storage.memory import MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(SystemClock())


@pytest_asyncio.fixture(loop_scope="session")
async def v1(store: MemoryStore, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    await load_curves(store)
    async with serving(Settings(api=ApiSettings(enable_v1=True), data_dir=tmp_path), InMemory(store)) as served:
        yield served.client


async def data(v1: httpx.AsyncClient, path: str, **params: str) -> list[dict[str, Any]]:
    response = await v1.get(path, params=params)
    assert response.status_code == 200, response.text
    return response.json()["data"]


async def test_points_of_a_trade_date(v1: httpx.AsyncClient) -> None:
    points = await data(v1, "/v1/curves", asof="2024-10-14", curve_key=BASE)
    assert [point["tenor_label"] for point in points] == ["Feb-25", "Jan-25", "Mar-25", "Q1-25", "Q2-25"]
    assert points[3] == {
        "curve_key": BASE,
        "tenor_label": "Q1-25",
        "tenor_type": "QUARTER",
        "contract_month": "2025-01-01",
        "asof_date": "2024-10-14",
        "mid": 98.31,
        "bid": 97.81,
        "ask": 98.81,
        "price_type": "SETTLE",
    }
    monthly = await data(v1, "/v1/curves", asof="2024-10-14", asset_class="POWER", block="peak", tenor_type="MONTHLY")
    assert {(point["curve_key"], point["tenor_type"]) for point in monthly} == {(PEAK, "MONTHLY")}


async def test_without_a_trade_date_each_tenor_has_its_newest_point(v1: httpx.AsyncClient) -> None:
    points = await data(v1, "/v1/curves", block="base")
    newest = {(point["curve_key"], point["tenor_label"]): point["asof_date"] for point in points}
    assert newest[BASE, "Jan-25"] == "2024-10-14"
    assert newest[FRENCH, "Jan-25"] == "2024-10-11"


@pytest.mark.parametrize(
    "query", ["/v1/curves?asof=2024-10-14", "/v1/curves", "/v1/curves/diff?asof_a=2024-10-11&asof_b=2024-10-14&iso=xa"]
)
async def test_pages_together_are_the_whole_list(v1: httpx.AsyncClient, query: str) -> None:
    url = httpx.URL(query)
    whole = (await v1.get(url)).json()["data"]
    pages: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = (await v1.get(url.copy_merge_params({"limit": "3", **({"cursor": cursor} if cursor else {})}))).json()
        pages += answer["data"]
        cursor = answer["meta"]["next_cursor"]
        if cursor is None:
            break
    assert pages == whole
    assert len(whole) > 3


async def test_differences(v1: httpx.AsyncClient) -> None:
    path = "/v1/curves/diff"
    rows = await data(v1, path, asof_a="2024-10-11", asof_b="2024-10-14", curve_key=BASE)
    by_label = {row["tenor_label"]: row for row in rows}
    assert by_label["Q1-25"]["diff_abs"] == pytest.approx(2.17)
    assert by_label["Q1-25"]["diff_pct"] == pytest.approx(2.17 / 96.14)
    assert (by_label["Q2-25"]["mid_a"], by_label["Q2-25"]["diff_abs"]) == (None, None)
    for params, field in (
        ({"asof_a": "2024-10-14", "asof_b": "2024-10-14", "iso": "XA"}, "asof_b"),
        ({"asof_a": "2022-10-14", "asof_b": "2024-10-14", "iso": "XA"}, "asof_b"),
        ({"asof_a": "2024-10-11", "asof_b": "2024-10-14"}, "curve_key"),
    ):
        refused = await v1.get(path, params=params)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, field)


async def test_strips_are_quoted_or_made_of_shorter_tenors(v1: httpx.AsyncClient) -> None:
    quarters = await data(v1, "/v1/curves/strips", type="QUARTER", asof="2024-10-14", curve_key=BASE)
    assert [(row["tenor_label"], row["mid"], row["price_type"]) for row in quarters] == [
        ("Q1-25", 98.31, "SETTLE"),
        ("Q2-25", 79.0, "SETTLE"),
    ]
    assert await data(v1, "/v1/curves/strips", type="CALENDAR", curve_key=BASE) == []


def months(year: int, first: int, count: int) -> dict[tuple[date, date], float | None]:
    """Return settlements of 10 for the months from a month on."""
    starts = [date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1) for month in range(first, first + count + 1)]
    return dict.fromkeys(pairwise(starts), 10.0)


async def test_strips_of_seasons_are_those_of_the_product(store: MemoryStore, v1: httpx.AsyncClient) -> None:
    key = "gas:XU:base:EXCH"
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.curve_reference.put_product(replace(product(key), seasons="us_gas"), tenant=None)
    await store.loader.load(file_of({key: {MONDAY: months(2025, 4, 12)}}))
    seasons = await data(v1, "/v1/curves/strips", type="SEASON", curve_key=key)
    assert [(row["tenor_label"], row["contract_month"], row["mid"], row["price_type"]) for row in seasons] == [
        ("Sum-25", "2025-04-01", 10.0, "STRIP"),
        ("Win-25", "2025-11-01", 10.0, "STRIP"),
    ]
    assert await data(v1, "/v1/curves/strips", type="CALENDAR", curve_key=key) == []
    quarters = await data(v1, "/v1/curves/strips", type="QUARTER", curve_key=key)
    assert [row["tenor_label"] for row in quarters] == ["Q1-26", "Q2-25", "Q3-25", "Q4-25"]


async def test_a_strip_of_a_built_curve_says_so(store: MemoryStore, v1: httpx.AsyncClient) -> None:
    key = "power:XD:base:EXCH"
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.curve_reference.put_product(product(key), tenant=None)
    both = date(2025, 3, 1), date(2025, 5, 1)
    await store.loader.load(file_of({key: {MONDAY: {both: 10.0, **months(2025, 5, 2)}}}))
    (quarter,) = await data(v1, "/v1/curves/strips", type="QUARTER", curve_key=key)
    assert (quarter["tenor_label"], quarter["price_type"]) == ("Q2-25", "BUILD")
    assert quarter["mid"] == pytest.approx(10.0)


async def test_csv_has_the_columns_of_v1(v1: httpx.AsyncClient) -> None:
    response = await v1.get("/v1/curves", params={"asof": "2024-10-14", "curve_key": FRENCH, "format": "csv"})
    assert response.text == "curve_key,tenor_label,tenor_type,contract_month,asof_date,mid,bid,ask,price_type\n"
    response = await v1.get("/v1/curves", params={"asof": "2024-10-11", "curve_key": FRENCH, "format": "csv"})
    assert response.text.splitlines()[1] == f"{FRENCH},Jan-25,MONTHLY,2025-01-01,2024-10-11,80.0,79.5,80.5,SETTLE"
    assert response.headers["etag"].startswith('"')
