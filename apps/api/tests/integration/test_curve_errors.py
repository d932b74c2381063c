"""Errors about curves name the member at fault: its path in the body, the curve, and what may be written there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from api_curves import BASE, FRENCH, OPERATOR, Desk, Desks, product, serving_desks

from aurum.common.clock import SystemClock
from aurum.storage.memory import MemoryStore

UNKNOWN, OIL = "power:XA:base:NOWHERE", "oil:XO:base:EXCH"


@pytest_asyncio.fixture(loop_scope="session")
async def desks(tmp_path: Path) -> AsyncIterator[Desks]:
    store = MemoryStore(SystemClock())
    async with serving_desks(store, None, tmp_path) as running:
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.curve_reference.put_product(product(OIL, unit="EUR/bbl"), tenant=None)
        yield running


@pytest.fixture
def desk(desks: Desks) -> Desk:
    return desks.of()


def only_error(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    (error,) = response.json()["errors"]
    return error


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (
            "spread",
            {"template": "custom", "legs": {"a": {"curve": BASE}, "b": {"curve": UNKNOWN}}, "periods": ["Q1-25"]},
            "legs.b.curve",
        ),
        (
            "spread",
            {
                "template": "custom",
                "legs": {"a": {"curve": BASE}},
                "periods": ["Q1-25"],
                "fx": {"kind": "curve", "curve": UNKNOWN},
            },
            "fx.curve",
        ),
        (
            "explain",
            {"positions": [{"curve": one, "period": "Q1-25", "mw": 1} for one in (BASE, UNKNOWN, UNKNOWN)]},
            "positions.1.curve",
        ),
        ("build", {"curve": BASE, "together": [FRENCH.replace("XB", "XC")]}, "together.0"),
        ("query", {"curves": [BASE, UNKNOWN]}, "curves"),
    ],
)
async def test_an_unknown_curve_is_named_by_its_place(desk: Desk, path: str, body: dict[str, Any], field: str) -> None:
    response = await desk.send("POST", f"/v2/curves/{path}", json=body)
    error = only_error(response, 404)
    assert error["field"] == field
    assert error["message"].startswith("unknown product")
    assert response.json()["detail"].startswith(f"{field}: unknown product")
    assert response.json()["name"] == error["value"]


async def test_a_trade_date_without_quotes_is_named(desk: Desk) -> None:
    error = only_error(await desk.send("POST", "/v2/curves/build", json={"curve": BASE, "trade_date": "2024-10-12"}), 422)
    assert (error["field"], error["value"]) == ("trade_date", "2024-10-12")
    assert "has no priced quotes on 2024-10-12" in error["message"]
    error = only_error(await desk.send("POST", "/v2/curves/build", json={"curve": OIL}), 422)
    assert error["field"] == "trade_date"
    error = only_error(await desk.send("POST", "/v2/curves/build", json={"curve": BASE, "quotes": []}), 422)
    assert error["field"] == "quotes"


async def test_a_quote_of_a_build_without_hours_is_named(desk: Desk) -> None:
    sunday = [{"period": "Jan-25", "price": 90}, {"period": "2025-01-05", "price": 1}]
    body = {"calendar": "eu_power", "quotes": [{**one, "block": "PEAK"} for one in sunday]}
    error = only_error(await desk.send("POST", "/v2/curves/build", json=body), 422)
    assert (error["field"], "its span has no hours of the block" in error["message"]) == ("quotes.1.period", True)


async def test_an_absurd_season_of_a_build_is_named(desk: Desk) -> None:
    body = {"curve": BASE, "prior": {"season": {"amplitude": -1e300, "peak_day": 15}}}
    error = only_error(await desk.send("POST", "/v2/curves/build", json=body), 422)
    assert (error["field"], error["message"]) == ("prior.season.amplitude", "is absurd: prices are below 1,000,000,000")


async def test_a_curve_that_cannot_be_converted_is_named(desk: Desk) -> None:
    response = await desk.get("/v2/curves/diff", curve=f"{BASE},{OIL}", unit="EUR/MWh")
    error = only_error(response, 422)
    assert error["field"] == "unit"
    assert error["message"].startswith(f"{OIL} is in EUR/bbl: ")


async def test_marks_that_cannot_be_converted_are_named(desks: Desks) -> None:
    desk = desks.of(role="carl")
    new = {"name": "close", "trade_date": "2024-10-14", "curves": [BASE]}
    made = (await desk.send("POST", "/v2/curves/sets", json=new)).json()["data"]
    response = await desk.get(f"/v2/curves/sets/{made['set_id']}/values", unit="EUR/bbl")
    error = only_error(response, 422)
    assert error["field"] == "unit"
    assert error["message"].startswith(f"{BASE} is in EUR/MWh: ")


@pytest.mark.parametrize(
    ("expression", "field", "why"),
    [
        ({"op": "shift", "curve": BASE}, "expression.by", "is missing: send a number"),
        ({"op": "roll", "curve": BASE}, "expression.months", "is missing: send a whole number"),
        ({"op": "shift", "curve": UNKNOWN, "by": 1}, "expression.curve", "is not a curve that you may read"),
        (
            {"op": "combine", "a": BASE, "b": {"op": "scale", "curve": UNKNOWN, "by": 2}},
            "expression.b.curve",
            "is not a curve that you may read",
        ),
    ],
)
async def test_a_wrong_expression_is_named_by_its_path(desk: Desk, expression: object, field: str, why: str) -> None:
    body = {"key": "power:XA:base:MARKS", "expression": expression}
    error = only_error(await desk.send("POST", "/v2/curves/derived", json=body), 422)
    assert error["field"] == field
    assert why in error["message"]


async def test_an_unknown_currency_is_not_an_unknown_unit(desk: Desk) -> None:
    error = only_error(await desk.get(f"/v2/curves/{BASE}/quotes", currency="XYZ"), 422)
    assert error["field"] == "currency"
    assert error["message"].startswith("unknown currency 'XYZ'")
    response = await desk.get(f"/v2/curves/{BASE}/quotes", currency="USF")
    assert "USD" in response.json()["nearest"]


async def test_the_form_of_a_key_is_told(desk: Desk) -> None:
    response = await desk.get("/v2/curves/XA/quotes")
    assert response.status_code == 404
    assert response.json()["detail"].startswith("unknown product 'XA': a key is commodity:area:block:venue, such as power:")
    response = await desk.get(f"/v2/curves/{UNKNOWN}/quotes")
    assert response.json()["detail"].startswith(f"unknown product '{UNKNOWN}'; nearest: ")
