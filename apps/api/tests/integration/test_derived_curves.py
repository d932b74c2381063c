"""Derived curves and discount factors over HTTP: each tenant has its own, and says what made them stale."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from api_curves import BASE, PEAK, Desk, Desks

KEY, MARKS, RATES = "power:XA:base:DERIVED", "power:XA:base:MARKS", "rate:EUR:base:DESK"
TWICE = "power:XA:base:TWICE"
PATH = "/v2/curves/derived"
SHIFT = {"op": "shift", "curve": BASE, "by": 0.5}
NEW = {"title": "Marks", "unit": "EUR/MWh", "tick": 0.01, "calendar": "eu_power", "seasons": "europe"}


async def derive(desk: Desk, expression: object = SHIFT, key: str = KEY, **more: object) -> dict[str, Any]:
    response = await desk.send("POST", PATH, json={"key": key, "expression": expression, **more})
    assert response.status_code == 201, response.text
    return response.json()["data"]


async def quote(desk: Desk, key: str, **prices: float) -> None:
    """Send settlements of 2024-10-14 by period, with dashes as underlines."""
    rows = [
        {"trade_date": "2024-10-14", "product": key, "period": period.replace("_", "-"), "settle": price}
        for period, price in prices.items()
    ]
    response = await desk.send("POST", "/v2/curves/quotes", json={"data": rows})
    assert response.status_code == 200, response.text


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    return response.json()


async def test_a_derived_curve_is_read_like_any_other_and_says_what_it_is_made_of(desks: Desks) -> None:
    desk = desks.of("acme")
    added = await derive(desk, title="Base and a half")
    assert (added["state"], added["owner"], added["stale"], added["error"]) == ("fresh", "tenant", [], None)
    assert added["report"]["unpriced"] == {f"{BASE} lists the period without a settlement": 1}
    (entry,) = added["inputs"]
    assert (entry["curve"], entry["version"]) == (BASE, entry["built_version"])
    rows = await desk.rows(f"/v2/curves/{KEY}/quotes", trade_date="2024-10-14", fields="settle,bid,ask")
    assert [row["settle"] for row in rows] == [102.5, 98.81, 104.61, 89.87, 79.5]
    assert rows[0]["bid"] == 102.0
    strips = await desk.rows(f"/v2/curves/{KEY}/strips", period="Q1-25", trade_date="2024-10-14")
    assert strips[0]["quoted"] == 98.81
    one = await desk.get(f"{PATH}/{added['derived_id']}")
    assert one.json()["data"] == added
    again = await desk.send("GET", f"{PATH}/{added['derived_id']}", headers={"if-none-match": one.headers["etag"]})
    assert again.status_code == 304
    assert [row["key"] for row in await desk.rows(PATH)] == [KEY]


async def test_a_product_with_quotes_of_others_is_not_taken_over(desks: Desks) -> None:
    desk = desks.of("acme")
    await desk.send("POST", "/v2/products", json={"key": MARKS, **NEW})
    await quote(desk, MARKS, Jan_25=3.0)
    response = await desk.send("POST", PATH, json={"key": MARKS, "expression": SHIFT})
    refused = problem(response, 409)
    assert (refused["key"], refused["trade_dates"]) == (MARKS, 1)
    assert "choose another key" in refused["detail"]
    (row,) = await desk.rows(f"/v2/curves/{MARKS}/quotes", fields="settle")
    assert row["settle"] == 3.0


async def test_another_tenant_sees_nothing_of_it(desks: Desks) -> None:
    acme, bolt = desks.of("acme"), desks.of("bolt")
    added = await derive(acme)
    path = f"{PATH}/{added['derived_id']}"
    tag = (await acme.get(path)).headers["etag"]
    assert await bolt.rows(PATH) == []
    problem(await bolt.get(path), 404)
    problem(await bolt.send("GET", path, headers={"if-none-match": tag}), 404)
    problem(await bolt.send("DELETE", path), 404)
    problem(await bolt.send("POST", f"{path}:rebuild"), 404)
    problem(await bolt.get(f"/v2/curves/{KEY}/quotes"), 404)
    assert (await derive(bolt, {"op": "scale", "curve": BASE, "by": 2}))["derived_id"] != added["derived_id"]


async def test_a_correction_of_an_own_input_makes_it_stale_and_a_rebuild_is_a_job(desks: Desks) -> None:
    desk = desks.of("acme")
    assert (await desk.send("POST", "/v2/products", json=NEW | {"key": MARKS})).status_code == 201
    await quote(desk, MARKS, Jan_25=-2.0, Feb_25=-1.5)
    added = await derive(desk, {"op": "basis", "hub": BASE, "basis": MARKS}, **{"from": "2024-10-14"})
    path = f"{PATH}/{added['derived_id']}"
    assert added["first_trade_date"] == "2024-10-14"
    tag = (await desk.get(path)).headers["etag"]
    await quote(desk, MARKS, Jan_25=-3.0)
    stale = (await desk.send("GET", path, headers={"if-none-match": tag})).json()["data"]
    assert stale["state"] == "stale"
    (cause,) = stale["stale"]
    assert (cause["curve"], cause["trade_dates"], cause["first"], cause["last"]) == (MARKS, 1, "2024-10-14", "2024-10-14")
    versions = {one["curve"]: one["version"] - one["built_version"] for one in stale["inputs"]}
    assert versions == {BASE: 0, MARKS: 1}
    submitted = await desk.send("POST", f"{path}:rebuild")
    assert submitted.status_code == 202, submitted.text
    job = await desk.get(submitted.headers["location"])
    assert job.json()["data"]["name"] == "curves.rebuild"


async def test_what_is_computed_from_a_stale_curve_says_so_in_every_answer(desks: Desks) -> None:
    desk = desks.of("acme")
    assert (await desk.send("POST", "/v2/products", json=NEW | {"key": MARKS})).status_code == 201
    await quote(desk, MARKS, Jan_25=90.0, Feb_25=91.0)
    first = await derive(desk, {"op": "shift", "curve": MARKS, "by": 1})
    second = await derive(desk, {"op": "scale", "curve": KEY, "by": 2}, TWICE)
    day = {"trade_date": "2024-10-14"}
    queries: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", f"/v2/curves/{TWICE}/quotes", day),
        ("GET", f"/v2/curves/{TWICE}/strips", day | {"period": "Jan-25"}),
        ("POST", "/v2/curves/query", day | {"curves": [TWICE]}),
        ("POST", "/v2/curves/build", day | {"curve": TWICE, "output": ["report"]}),
        (
            "POST",
            "/v2/curves/spread",
            day | {"template": "custom", "legs": {"one": {"curve": TWICE, "weight": 1}}, "periods": ["Jan-25"]},
        ),
    ]
    set_id = (await desk.send("POST", "/v2/curves/sets", json=day | {"name": "Morning", "curves": [TWICE]})).json()["data"][
        "set_id"
    ]

    async def states() -> list[object]:
        answers: list[object] = []
        for method, path, values in queries:
            sent = {"params": values} if method == "GET" else {"json": values}
            response = await desk.send(method, path, **sent)
            assert response.status_code == 200, response.text
            meta = response.json()["meta"]
            described = meta.get("curve") if isinstance(meta.get("curve"), dict) else (meta.get("curves") or [None])[0]
            answers.append(described["derived"] if described else meta["derived"][TWICE])
        return answers

    async def flags() -> list[list[str]]:
        return [row["flags"] for row in await desk.rows(f"/v2/curves/sets/{set_id}/values")]

    assert await states() == ["fresh"] * len(queries)
    assert await flags() == [[], []]
    path = queries[0][1]
    tag = (await desk.get(path, **day)).headers["etag"]
    changed = await desk.send("PATCH", f"/v2/products/{MARKS}", json={"weighting": "days"})
    assert changed.status_code == 200, changed.text
    assert await states() == ["stale"] * len(queries)
    assert await flags() == [["not_rebuilt"], ["not_rebuilt"]]
    assert (await desk.send("GET", path, params=day, headers={"if-none-match": tag})).status_code == 200
    own = (await desk.get(f"{PATH}/{first['derived_id']}")).json()["data"]
    (cause,) = own["stale"]
    assert (own["state"], own["waits_for"], cause["curve"], cause["trade_dates"]) == ("stale", [], MARKS, None)
    after = (await desk.get(f"{PATH}/{second['derived_id']}")).json()["data"]
    assert (after["state"], after["stale"], after["waits_for"]) == ("stale", [], [KEY])
    assert await desk.rows(f"/v2/curves/{MARKS}/quotes", **day) != []
    assert (await desk.get(f"/v2/curves/{MARKS}/quotes", **day)).json()["meta"]["curve"]["derived"] is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"expression": {"op": "shift", "curve": BASE, "by": "1"}}, "expression.by"),
        ({"expression": {"op": "shift", "curve": "power:XA:nothing:EXCH", "by": 1}}, "expression.curve"),
        ({"expression": {"op": "roll", "curve": BASE, "months": 0.5}}, "expression.months"),
        ({"expression": {"op": "basis", "hub": BASE, "basis": PEAK}}, "expression"),
        ({"expression": {"op": "convert", "curve": BASE, "unit": "EUR/bbl"}}, "expression.unit"),
        ({"key": "derived"}, "key"),
    ],
)
async def test_what_cannot_be_derived_names_the_member(desks: Desks, changes: dict[str, Any], field: str) -> None:
    body = {"key": KEY, "expression": SHIFT} | changes
    refused = problem(await desks.of("acme").send("POST", PATH, json=body), 422)
    assert refused["errors"][0]["field"] == field


async def test_an_input_of_another_curve_is_not_deleted_and_quotes_stay(desks: Desks) -> None:
    desk = desks.of("acme")
    first = await derive(desk)
    second = await derive(desk, {"op": "scale", "curve": KEY, "by": 2}, "power:XA:base:TWICE")
    refused = problem(await desk.send("DELETE", f"{PATH}/{first['derived_id']}"), 409)
    assert refused["used_by"] == ["power:XA:base:TWICE"]
    for one in (second, first):
        assert (await desk.send("DELETE", f"{PATH}/{one['derived_id']}")).status_code == 204
    assert await desk.rows(PATH) == []
    assert len(await desk.rows(f"/v2/curves/{KEY}/quotes", trade_date="2024-10-14")) == 5
    assert "derived until" in (await desk.get(f"/v2/curves/{KEY}")).json()["data"]["title"]
    assert problem(await desk.send("DELETE", f"/v2/products/{KEY}"), 409)


async def test_shared_curves_need_an_administrator(desks: Desks) -> None:
    trader, admin = desks.of("acme"), desks.of("acme", "super_admin")
    problem(await trader.send("POST", PATH, json={"key": KEY, "expression": SHIFT, "owner": "shared"}), 403)
    added = await derive(admin, owner="shared")
    assert added["owner"] == "shared"
    assert [row["key"] for row in await desks.of("bolt").rows(PATH)] == [KEY]
    problem(await trader.send("DELETE", f"{PATH}/{added['derived_id']}"), 403)
    problem(await trader.send("POST", f"{PATH}/{added['derived_id']}:rebuild"), 403)


@pytest.mark.parametrize(("unit", "rate"), [("1", 0.03), ("%", 3.0)])
async def test_discount_factors_of_rates_in_either_unit(desks: Desks, unit: str, rate: float) -> None:
    desk = desks.of("acme")
    product = {"key": RATES, "title": "Zero rates", "unit": unit, "tick": 1e-6, "calendar": "rate"}
    assert (await desk.send("POST", "/v2/products", json=product)).status_code == 201
    await quote(desk, RATES, **{"2025_10_14": rate, "2026_10_14": rate})
    path = f"/v2/curves/{RATES}/discount"
    answer = await desk.get(path, dates="2024-10-14,2025-10-14,2026-04-01")
    assert answer.status_code == 200, answer.text
    rows = answer.json()["data"]
    assert [row["discount_factor"] for row in rows] == pytest.approx([1.0, 1 / 1.03, 1.03 ** (-534 / 365)])
    assert [row["zero_rate"] for row in rows] == pytest.approx([rate] * 3)
    assert (rows[1]["days"], rows[1]["is_extrapolated"]) == (365, False)
    meta = answer.json()["meta"]
    assert (meta["trade_date"], meta["day_count"], meta["extrapolate"]) == ("2024-10-14", "ACT/365", "none")
    assert [row["date"] for row in await desk.rows(path)] == ["2025-10-14", "2026-10-14"]
    monthly = await desk.rows(path, **{"from": "2025-01-31", "to": "2025-04-30", "freq": "P1M"})
    assert [row["date"] for row in monthly] == ["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30"]
    late = problem(await desk.get(path, dates="2028-01-01"), 422)
    assert (late["errors"][0]["field"], "2026-10-14" in late["detail"]) == ("dates", True)
    sunday = problem(await desk.get(path, trade_date="2024-10-13", dates="2025-10-14"), 422)
    assert (sunday["errors"][0]["field"], sunday["nearest"]) == ("trade_date", ["2024-10-14"])
    (flat,) = await desk.rows(path, dates="2027-10-14", extrapolate="flat")
    assert (flat["is_extrapolated"], flat["discount_factor"]) == (True, pytest.approx(1.03**-3))
    table = await desk.get(path, format="csv")
    assert table.text.splitlines()[0] == "date,days,discount_factor,zero_rate,is_extrapolated"
    problem(await desks.of("bolt").get(path), 404)


async def test_a_curve_of_power_has_no_discount_factors(desks: Desks) -> None:
    refused = problem(await desks.of("acme").get(f"/v2/curves/{BASE}/discount"), 422)
    assert refused["errors"][0]["field"] == "key"
