"""Continuous series over HTTP: their rolls, gaps and adjustments, in every format, for each tenant its own."""

from __future__ import annotations

import io
import json
from datetime import date

import polars as pl
import pytest
import pytest_asyncio
from api_curves import OPERATOR, OWN, Desks, Prices, file_of, product

from aurum.storage.testing.stores import Store

SEP, OCT, NOV = ((date(2024, month, 1), date(2024, month + 1, 1)) for month in (9, 10, 11))
DEC = date(2024, 12, 1), date(2025, 1, 1)
Q4 = OCT[0], DEC[1]
FRONT: dict[date, Prices] = {
    date(2024, 8, 29): {SEP: 80.0, OCT: 90.0, NOV: 95.0, DEC: 97.0},
    date(2024, 8, 30): {SEP: 78.0, OCT: 88.5, NOV: 95.0, DEC: 97.0, Q4: 93.0},
    date(2024, 9, 2): {OCT: 89.0, NOV: None, Q4: 94.0},
    date(2024, 9, 3): {OCT: 91.0, NOV: 96.0},
    date(2024, 9, 5): {NOV: 97.0},
}
"""The front month on its last session, 30 August, and after it; the exchange was open on 4 September, too."""
ROLLED, UNKNOWN = "power:XC:base:EXCH", "power:XC:bas:EXCH"
PATH = f"/v2/curves/{ROLLED}/continuous"


@pytest_asyncio.fixture(loop_scope="session")
async def desks(desks: Desks, store: Store) -> Desks:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.curve_reference.put_product(product(ROLLED), tenant=None)
        await tx.curve_reference.put_product(product(OWN), tenant="acme")
    await store.loader.load(file_of({ROLLED: FRONT}))
    await store.loader.load(file_of({OWN: FRONT}, tenant="acme"))
    return desks


async def test_the_front_month_with_its_roll_and_its_gap(desks: Desks) -> None:
    answer = (await desks.of().get(PATH, front="M+1")).json()
    rows, meta = answer["data"], answer["meta"]
    assert [(row["trade_date"], row["period"]["label"], row["price"], row["move"], row["reason"]) for row in rows] == [
        ("2024-08-29", "Sep-24", 80.0, None, None),
        ("2024-08-30", "Sep-24", 78.0, -2.0, None),
        ("2024-09-02", "Oct-24", 89.0, 0.5, None),
        ("2024-09-03", "Oct-24", 91.0, 2.0, None),
        ("2024-09-05", "Oct-24", None, None, "not_quoted"),
    ]
    (roll,) = meta["rolls"]
    assert (roll["date"], roll["last"], roll["old"]["label"], roll["new"]["label"]) == (
        "2024-09-02", "2024-08-30", "Sep-24", "Oct-24",
    )  # fmt: skip
    assert (roll["old_price"], roll["new_price"], roll["gap"]) == (78.0, 88.5, 10.5)
    assert roll["ratio"] == pytest.approx(88.5 / 78.0)
    assert meta["summary"] == {
        "points": 4, "rolls": 1, "naive_change": 11.0, "held_change": 0.5, "gaps": 10.5, "reason": None,
    }  # fmt: skip
    assert meta["missing"] == {"not_quoted": {"count": 1, "newest": ["2024-09-05"]}}
    assert meta["missing_sessions"] == {"count": 1, "newest": ["2024-09-04"]}
    assert (meta["front"], meta["roll"], meta["adjust"], meta["field"], meta["count"]) == (
        "M+1", "calendar", "none", "price", 5,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("adjust", "values"),
    [
        ("none", [80.0, 78.0, 89.0, 91.0, None]),
        ("difference", [90.5, 88.5, 89.0, 91.0, None]),
        ("ratio", [80.0 * 88.5 / 78.0, 88.5, 89.0, 91.0, None]),
    ],
)
async def test_adjustments_leave_the_newest_front_as_it_is(desks: Desks, adjust: str, values: list[float | None]) -> None:
    rows = await desks.of().rows(PATH, front="m 1", adjust=adjust)
    assert [row["value"] for row in rows][:4] == pytest.approx(values[:4])
    assert rows[4]["value"] is None


async def test_other_tenors_rules_and_prices(desks: Desks) -> None:
    desk = desks.of()
    quarter = await desk.rows(PATH, front="Q+1")
    assert [(row["price"], row["reason"]) for row in quarter] == [
        (None, "covered_by_finer"),
        (93.0, None),
        (94.0, None),
        (None, "not_quoted"),
        (None, "not_quoted"),
    ]
    second = await desk.rows(PATH, front="M+2")
    assert [(row["period"]["label"], row["price"], row["reason"]) for row in second][2] == ("Nov-24", None, "unpriced")
    earlier = (await desk.get(PATH, front="M+1", roll="days_before:1")).json()
    assert [row["period"]["label"] for row in earlier["data"]] == ["Sep-24", "Oct-24", "Oct-24", "Oct-24", "Oct-24"]
    assert (earlier["meta"]["rolls"][0]["last"], earlier["meta"]["rolls"][0]["gap"]) == ("2024-08-29", 10.0)
    bids = await desk.rows(PATH, front="M+1", field="bid", **{"from": "2024-08-30", "to": "2024-09-02"})
    assert [row["price"] for row in bids] == [77.5, 88.5]
    mid = await desk.rows(PATH, front="M+1", field="mid", unit="EUR/GJ", to="2024-08-29")
    assert [row["price"] for row in mid] == pytest.approx([80.0 / 3.6])


async def test_what_was_known_then(desks: Desks) -> None:
    answer = (await desks.of().get(PATH, front="M+1", as_of="2024-08-30T20:00:00Z")).json()
    assert [row["trade_date"] for row in answer["data"]] == ["2024-08-29", "2024-08-30"]
    assert answer["meta"]["rolls"] == []
    nothing = (await desks.of().get(PATH, front="M+1", as_of="2020-01-01")).json()
    assert (nothing["data"], nothing["meta"]["summary"]["points"]) == ([], 0)
    assert "no trade date" in nothing["meta"]["summary"]["reason"]


@pytest.mark.parametrize("name", ["csv", "ndjson", "arrow", "parquet"])
async def test_the_same_rows_in_every_format(desks: Desks, name: str) -> None:
    rows = await desks.of().rows(PATH, front="M+1")
    content = (await desks.of().get(PATH, front="M+1", format=name)).content
    if name == "ndjson":
        assert [json.loads(line) for line in content.splitlines()] == rows
        return
    frame = {"csv": pl.read_csv, "arrow": pl.read_ipc_stream, "parquet": pl.read_parquet}[name](io.BytesIO(content))
    names = ["trade_date", "period", "kind", "start", "end", "hours", "price", "value", "move", "reason", "price_from"]
    assert frame.columns == names
    assert frame["price"].to_list() == [row["price"] for row in rows]
    assert [one or None for one in frame["reason"].cast(pl.String).to_list()] == [row["reason"] for row in rows]


async def test_columns_of_json(desks: Desks) -> None:
    data = (await desks.of().get(PATH, front="M+1", layout="columns")).json()["data"]
    assert data["price"] == [80.0, 78.0, 89.0, 91.0, None]
    assert data["reason"] == [None] * 4 + ["not_quoted"]
    assert data["price_from"] == ["settle"] * 4 + [None]


@pytest.mark.parametrize(
    ("params", "field", "why"),
    [
        ({}, "front", ""),
        ({"front": "H+1"}, "front", "M+1"),
        ({"front": "M+0"}, "front", "from 1 to"),
        ({"front": "M+1", "roll": "expiry"}, "roll", "last_trading_day"),
        ({"front": "M+1", "roll": "last_trading_day"}, "roll", "last trading days of power:XC:base:EXCH are unknown"),
        ({"front": "BOM", "roll": "days_before:3"}, "roll", "calendar"),
        ({"front": "M+1", "adjust": "log"}, "adjust", ""),
        ({"front": "M+1", "field": "volume_mwh"}, "field", "settle"),
        ({"front": "M+1", "from": "2024-09-03", "to": "2024-09-02"}, "from", "after"),
        ({"front": "M+1", "from": "monday"}, "from", ""),
        ({"front": "M+1", "unit": "MW"}, "unit", ""),
        ({"front": "M+1", "as_of": "soon"}, "as_of", ""),
        ({"front": "M+1", "tenor": "M+1"}, "tenor", ""),
    ],
)
async def test_a_bad_parameter_is_named(desks: Desks, params: dict[str, str], field: str, why: str) -> None:
    response = await desks.of().get(PATH, **params)
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["field"] == field
    assert why in response.json()["errors"][0]["message"]


async def test_ratios_of_negative_prices_are_refused(desks: Desks, store: Store) -> None:
    await store.loader.load(file_of({ROLLED: {date(2024, 9, 6): {OCT: -3.0}}}))
    response = await desks.of().get(PATH, front="M+1", adjust="ratio")
    assert response.status_code == 422
    error = response.json()["errors"][0]
    assert (error["field"], "2024-09-06 is -3" in error["message"]) == ("adjust", True)


async def test_a_curve_without_seasons_or_sessions_says_so(desks: Desks) -> None:
    bare = {"key": "power:XZ:base:DESK", "title": "Bare", "unit": "EUR/MWh", "tick": 0.01, "calendar": "eu_power"}
    desk = desks.of()
    assert (await desk.send("POST", "/v2/products", json=bare)).status_code == 201
    path = "/v2/curves/power:XZ:base:DESK/continuous"
    for params, field in (({"front": "S+1"}, "front"), ({"front": "M+1", "roll": "days_before:1"}, "roll")):
        refused = await desk.get(path, **params)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)


async def test_unknown_curves_and_those_of_another_tenant_are_not_found(desks: Desks) -> None:
    assert (await desks.of().get(f"/v2/curves/{UNKNOWN}/continuous", front="M+1")).status_code == 404
    own = f"/v2/curves/{OWN}/continuous"
    mine = await desks.of().get(own, front="M+1")
    assert (mine.status_code, mine.json()["meta"]["summary"]["points"]) == (200, 4)
    assert "private" in mine.headers["cache-control"]
    tag = mine.headers["etag"]
    assert (await desks.of().send("GET", f"{own}?front=M%2B1", headers={"if-none-match": tag})).status_code == 304
    other = await desks.of("bolt").send("GET", f"{own}?front=M%2B1", headers={"if-none-match": tag})
    assert other.status_code == 404
    assert OWN not in other.json()["nearest"]


async def test_an_answer_is_tagged_by_the_version_of_its_quotes(desks: Desks) -> None:
    desk = desks.of()
    own = f"/v2/curves/{OWN}/continuous"
    tag = (await desk.get(own, front="M+1")).headers["etag"]
    path = f"{own}?front=M%2B1"
    assert (await desk.send("GET", path, headers={"if-none-match": tag})).status_code == 304
    row = {"trade_date": "2024-09-06", "product": OWN, "period": "Oct-24", "settle": 93.0}
    assert (await desk.send("POST", "/v2/curves/quotes", json={"data": [row]})).status_code in (200, 201)
    changed = await desk.send("GET", path, headers={"if-none-match": tag})
    assert (changed.status_code, changed.json()["data"][-1]["price"]) == (200, 93.0)


async def test_reading_needs_the_scope(desks: Desks) -> None:
    response = await desks.of(role="market").get(PATH, front="M+1")
    assert (response.status_code, response.json()["scope"]) == (403, "curves:read")
