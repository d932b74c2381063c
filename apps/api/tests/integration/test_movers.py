"""``/v2/series/movers``: both days, refusals with the nearest names, days without data, caching and scopes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from aurum.api.testing import InventedSeries, Served, file_of, serving
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.calendars import default_blocks
from aurum.core.errors import Invalid
from aurum.core.keys import SeriesKey
from aurum.core.markettime import day_bounds
from aurum.storage.testing.stores import PostgresStore

ZONE = "America/New_York"
KNOWN = datetime(2025, 1, 1, tzinfo=UTC)
FRIDAY, SATURDAY, FALL, MONDAY = (date(2025, 10, 31) + timedelta(days=offset) for offset in range(4))
A, B, C = (f"nyiso:damlbmp_zone:{name}:lmp" for name in "ABC")
PATH = "/v2/series/movers"
MOVED = {"measure": "lmp", "market": "nyiso", "day": "2025-11-03"}


def series(
    key: str, days: dict[date, Sequence[float]], *, unit: str = "USD/MWh", currency: str | None = "USD"
) -> InventedSeries:
    """Hourly; the last value of a day stands until its end."""
    rows: list[tuple[datetime, float, datetime, int]] = []
    for day, values in days.items():
        start, end = day_bounds(day, ZONE)
        hours = (end - start) // timedelta(hours=1)
        padded = [*values, *[values[-1]] * (hours - len(values))]
        rows += [(start + number * timedelta(hours=1), value, KNOWN, 0) for number, value in enumerate(padded)]
    return InventedSeries(key, unit, "1h", ZONE, "NYISO", rows, currency, SeriesKey.parse(key).location * 3)


@pytest_asyncio.fixture(loop_scope="session")
async def served(database_url: str, postgres_store: PostgresStore) -> AsyncIterator[Served]:
    """A service over three prices and a load."""
    await postgres_store.catalog_writer.declare(
        sources=[], datasets=[], blocks=[block.to_document() for block in default_blocks()]
    )
    short = series(C, {FALL: [1.0], MONDAY: [9.0]})
    for one in (
        series(A, {SATURDAY: [24.0], FALL: [25.0, 0.0], MONDAY: [3.0]}),
        series(B, {SATURDAY: [24.0], FALL: [3.0], MONDAY: [1.0]}),
        InventedSeries(short.key, short.unit, "1h", ZONE, "NYISO", short.rows[:-1], "USD"),
        series("nyiso:pal:A:load", {MONDAY: [100.0]}, unit="MW", currency=None),
    ):
        await postgres_store.loader.load(file_of(one))
    async with serving(Settings(database=DatabaseSettings(url=database_url, pool_size=2))) as running:
        yield running


async def get_movers(served: Served, **params: str | int) -> httpx.Response:
    return await served.client.get(PATH, params={**MOVED, **params})


async def test_movers_come_with_both_means_and_incomplete_series_apart(served: Served) -> None:
    response = await get_movers(served)
    assert response.status_code == 200, response.text
    assert response.json() == {
        "data": [
            # Equal changes, by key.
            {
                "key": A,
                "location": "A",
                "location_name": "AAA",
                "before": 1.0,
                "after": 3.0,
                "change": 2.0,
                "relative_change": 2.0,
            },
            {
                "key": B,
                "location": "B",
                "location_name": "BBB",
                "before": 3.0,
                "after": 1.0,
                "change": -2.0,
                "relative_change": pytest.approx(-2 / 3),
            },
        ],
        "incomplete": [{"key": C, "before": {"expected": 25, "present": 25}, "after": {"expected": 24, "present": 23}}],
        "meta": {
            "day": "2025-11-03",
            "against": "2025-11-02",
            "market": "NYISO",
            "tz": ZONE,
            "measure": "lmp",
            "unit": "USD/MWh",
            "currency": "USD",
            "block": None,
            "count": 2,
            "limit": 20,
            "ranked": 2,
            "incomplete": 1,
        },
    }  # fmt: skip


async def test_a_date_to_compare_with_and_a_limit(served: Served) -> None:
    answer = (await get_movers(served, against="2025-11-01", limit=1)).json()
    assert [(one["key"], one["before"], one["after"]) for one in answer["data"]] == [(B, 24.0, 1.0)]
    assert (answer["meta"]["against"], answer["meta"]["count"], answer["meta"]["ranked"]) == ("2025-11-01", 1, 2)


async def test_a_block_is_named_as_in_the_catalog_and_restricts_both_days(served: Served) -> None:
    answer = (await get_movers(served, block="7x16")).json()
    assert answer["meta"]["block"] == "nyiso:7x16"
    # The hour that C lacks is the last one, which is not in the block.
    assert [(one["key"], one["before"], one["after"]) for one in answer["data"]] == [
        (C, 1.0, 9.0), (A, 0.0, 3.0), (B, 3.0, 1.0),
    ]  # fmt: skip
    assert answer["data"][1]["relative_change"] is None
    assert answer["incomplete"] == []


@pytest.mark.parametrize(
    ("params", "field", "nearest"),
    [
        ({"measure": "lpm"}, "measure", ["lmp"]),
        ({"market": "NYSO"}, "market", ["NYISO"]),
        ({"block": "ON_PEEK"}, "block", ["ON_PEAK"]),
        ({"unit": "EUR/MWh"}, "unit", ["USD/MWh"]),
        ({"against": "last week"}, "against", None),
        ({"day": "20251103"}, "day", None),
        ({"day": "9999-12-31"}, "day", None),
        ({"limit": 501}, "limit", None),
        ({"limit": 0}, "limit", None),
        ({"mesure": "lmp"}, "mesure", ["measure"]),
    ],
)
async def test_what_cannot_be_asked_is_a_422_with_the_field_and_the_nearest_names(
    served: Served, params: dict[str, str | int], field: str, nearest: list[str] | None
) -> None:
    response = await get_movers(served, **params)
    assert response.status_code == 422, response.text
    problem: dict[str, Any] = response.json()
    assert [error["field"] for error in problem["errors"]] == [field]
    if nearest is not None:
        assert problem["nearest"][: len(nearest)] == nearest


async def test_measure_market_and_day_are_needed(served: Served) -> None:
    problem = (await served.client.get(PATH)).json()
    assert problem["status"] == 422
    assert {error["field"] for error in problem["errors"]} == {"measure", "market", "day"}


@pytest.mark.parametrize(
    ("params", "parameter", "nearest"),
    [
        ({"day": "2025-11-09"}, "day", ["2025-11-03"]),
        ({"against": "week"}, "against", ["2025-11-01"]),
        ({"measure": "load"}, "against", ["2025-11-03"]),
    ],
)
async def test_a_day_without_data_is_a_404_that_names_the_nearest(
    served: Served, params: dict[str, str], parameter: str, nearest: list[str]
) -> None:
    response = await get_movers(served, **params)
    assert response.status_code == 404, response.text
    problem = response.json()
    assert (problem["parameter"], problem["nearest"]) == (parameter, nearest)
    assert f"the nearest day with data is {nearest[0]}" in problem["detail"]


async def test_the_answer_is_cached_and_forgotten_when_a_value_changes(served: Served, postgres_store: PostgresStore) -> None:
    first = await get_movers(served)
    assert (await get_movers(served)).headers["etag"] == first.headers["etag"]
    again = await served.client.get(PATH, params=MOVED, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    changed = asyncio.Event()
    served.state["services"].feed.listen(lambda _: changed.set())
    revised = series(A, {MONDAY: [5.0]})
    rows = [(start, value, KNOWN + timedelta(days=1), 0) for start, value, _, _ in revised.rows]
    await postgres_store.loader.load(
        file_of(InventedSeries(A, "USD/MWh", "1h", ZONE, "NYISO", rows, "USD", "AAA"), content="2")
    )
    await asyncio.wait_for(changed.wait(), 120)
    assert (await get_movers(served)).json()["data"][0]["after"] == 5.0


def test_no_series_key_is_called_movers() -> None:
    with pytest.raises(Invalid):
        SeriesKey.parse("movers")


async def test_a_series_beside_movers_is_found_by_its_key(served: Served) -> None:
    assert (await served.client.get(f"/v2/series/{A}")).json()["data"]["key"] == A
    missing = await served.client.get("/v2/series/movers/observations")
    assert missing.status_code == 404
    assert missing.json()["kind"] == "series"
