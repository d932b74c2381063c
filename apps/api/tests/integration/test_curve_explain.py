"""Explanations over HTTP: the change of a curve by tenor, and the profit and loss of positions, for each tenant its own."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
import pytest_asyncio
from api_curves import BASE, OPERATOR, OWN, Desks, Prices, file_of, product

from aurum.api.testing.observations import InventedSeries
from aurum.api.testing.observations import file_of as series_file
from aurum.core.curves.product_documents import default_products
from aurum.storage.testing.stores import Store

PATH = "/v2/curves/explain"
SEP, OCT, NOV = ((date(2024, month, 1), date(2024, month + 1, 1)) for month in (9, 10, 11))
DEC = date(2024, 12, 1), date(2025, 1, 1)
Q4 = OCT[0], DEC[1]
THURSDAY, FRIDAY, MONDAY = date(2024, 8, 29), date(2024, 8, 30), date(2024, 9, 2)
ROLLED, LATER = "power:XC:base:EXCH", "power:XC:peak:EXCH"
NBP, WTI = "gas:NBP:base:ICE", "oil:WTI:base:NYMEX"
QUOTES: dict[date, Prices] = {
    THURSDAY: {SEP: 80.0, OCT: 90.0, NOV: 95.0, DEC: 97.0},
    FRIDAY: {SEP: 78.0, OCT: 88.5, NOV: 95.0, DEC: 97.0, Q4: 93.0},
    MONDAY: {OCT: 89.0, NOV: 96.0, DEC: None, Q4: 94.0},
}
COMPONENTS = ("quote_move", "roll_down", "correction", "methodology")


@pytest_asyncio.fixture(loop_scope="session")
async def desks(desks: Desks, store: Store) -> Desks:
    shipped = {str(one.key): one for one in default_products()}
    async with store.transactions.transaction(by=OPERATOR) as tx:
        for one in (product(ROLLED), product(LATER), shipped[NBP], shipped[WTI]):
            await tx.curve_reference.put_product(one, tenant=None)
        await tx.curve_reference.put_product(product(OWN), tenant="acme")
    await store.loader.load(file_of({ROLLED: QUOTES, NBP: {THURSDAY: {OCT: 100.0}, FRIDAY: {OCT: 103.0}}}))
    await store.loader.load(file_of({WTI: {THURSDAY: {NOV: 75.0}, FRIDAY: {NOV: 74.5}}}))
    await store.loader.load(file_of({OWN: QUOTES}, tenant="acme"))
    # The same prices, each an hour later, so that they are explained as of another instant.
    for day, prices in QUOTES.items():
        known_at = datetime(day.year, day.month, day.day, 17, 30, tzinfo=UTC)
        await store.loader.load(file_of({LATER: {day: prices}}, known_at=known_at))
    # After Friday's quotes were known, one of Thursday's was corrected.
    await store.loader.load(file_of({ROLLED: {THURSDAY: {OCT: 90.25}}}, known_at=datetime(2024, 8, 31, 9, tzinfo=UTC)))
    return desks


def by_bucket(answer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["bucket"]: row for row in answer["data"]}


def check_sum(row: Mapping[str, Any]) -> None:
    written = [Decimal(repr(row[name])) for name in COMPONENTS]
    assert sum(written) == Decimal(repr(row["total"]))


async def test_moves_rolls_corrections_and_methods_sum_to_the_total(desks: Desks) -> None:
    answer = (await desks.of().get(PATH, curve=ROLLED, a=str(THURSDAY), b=str(MONDAY))).json()
    rows = by_bucket(answer)
    assert list(rows) == ["M+1", "M+2", "M+3", "M+4", "Q+1"]
    front = rows["M+1"]
    assert (front["from"]["period"]["label"], front["from"]["price"]) == ("Sep-24", 80.0)
    assert (front["to"]["period"]["label"], front["to"]["price"], front["to"]["method"]) == ("Oct-24", 89.0, "quoted")
    assert [front[name] for name in (*COMPONENTS, "total", "rolls")] == [-1.5, 10.5, 0.0, 0.0, 9.0, 1]
    second = rows["M+2"]
    assert [second[name] for name in (*COMPONENTS, "total")] == [-0.75, 6.5, 0.25, 0.0, 6.0]
    assert (rows["M+3"]["reason"], rows["M+3"]["total"]) == ("it has no price on the later trade date", None)
    # Made of its months on Thursday, with the hours of each; quoted on Monday.
    quarter = rows["Q+1"]
    hours = {"oct": 745, "nov": 720, "dec": 744}
    then = (90.0 * hours["oct"] + 95 * hours["nov"] + 97 * hours["dec"]) / 2209
    assert quarter["from"] == {"period": quarter["to"]["period"], "price": pytest.approx(then), "method": "from_finer"}
    assert quarter["to"]["method"] == "quoted"
    assert quarter["reason"] is not None
    for row in rows.values():
        if row["quote_move"] is not None:
            check_sum(row)
    meta = answer["meta"]
    assert (meta["a"], meta["b"], meta["roll"], meta["field"]) == (str(THURSDAY), str(MONDAY), "calendar", "price")
    assert meta["mids"] == []
    assert meta["as_of_a"] == "2024-08-30T16:29:59.999999Z", "just before Friday's quotes were known"


async def test_another_method_on_one_of_the_dates_is_a_component(desks: Desks) -> None:
    row = by_bucket((await desks.of().get(PATH, curve=ROLLED, a=str(THURSDAY), b=str(FRIDAY))).json())["Q+1"]
    made = {day: (october * 745 + 95 * 720 + 97 * 744) / 2209 for day, october in ((1, 90.0), (2, 90.25), (3, 88.5))}
    assert (row["from"]["method"], row["to"]["method"], row["to"]["price"]) == ("from_finer", "quoted", 93.0)
    assert row["correction"] == pytest.approx(made[2] - made[1])
    assert row["quote_move"] == pytest.approx(made[3] - made[2])
    assert row["methodology"] == pytest.approx(93.0 - made[3])
    check_sum(row)


async def test_the_change_of_one_trade_date_is_its_corrections(desks: Desks) -> None:
    params = {"curve": ROLLED, "a": str(THURSDAY), "b": str(THURSDAY), "as_of_a": "2024-08-29T20:00:00Z"}
    rows = by_bucket((await desks.of().get(PATH, **params)).json())
    assert [rows["M+2"][name] for name in (*COMPONENTS, "total")] == [0.0, 0.0, 0.25, 0.0, 0.25]
    assert rows["M+1"]["total"] == 0.0
    early = by_bucket((await desks.of().get(PATH, **params, as_of_b="2024-08-30T00:00:00Z")).json())
    assert early["M+2"]["total"] == 0.0


async def test_many_curves_are_explained_as_each_of_them_alone(desks: Desks, store: Store) -> None:
    await store.loader.load(file_of({NBP: {MONDAY: {OCT: 104.0}}}))  # alone it is refused on a date without its quotes
    dates = {"a": str(THURSDAY), "b": str(MONDAY)}
    alone = {key: (await desks.of().get(PATH, curve=key, **dates)).json() for key in (ROLLED, LATER, NBP)}
    answer = (await desks.of().get(PATH, curve=f"{NBP},power:XC:*", layout="rows", **dates)).json()
    by_key = sorted(alone)
    assert [one["key"] for one in answer["meta"]["curves"]] == by_key
    assert [one["as_of_a"] for one in answer["meta"]["curves"]] == [alone[key]["meta"]["as_of_a"] for key in by_key]
    assert len({one["as_of_a"] for one in answer["meta"]["curves"]}) > 1
    assert answer["data"] == [row for key in by_key for row in alone[key]["data"]]
    assert {row["curve"] for row in answer["data"]} == {ROLLED, LATER, NBP}
    assert (answer["meta"]["curve"], answer["meta"]["as_of_a"]) == (None, None)
    for row in answer["data"]:
        if row["quote_move"] is not None:
            check_sum(row)


async def test_the_answer_about_one_curve_has_more_members_and_lacks_none(desks: Desks) -> None:
    answer = (await desks.of().get(PATH, curve=ROLLED, a=str(THURSDAY), b=str(MONDAY))).json()
    before = ["bucket", "from", "to", *COMPONENTS, "total", "rolls", "reason"]
    assert list(answer["data"][0]) == [*before, "curve"]
    assert {"count", "curve", "a", "b", "as_of_a", "as_of_b", "roll", "field"} < set(answer["meta"])
    of_curve = {name: answer["meta"][name] for name in ("as_of_a", "mids")}
    assert answer["meta"]["curve"] | of_curve == answer["meta"]["curves"][0]
    header = (await desks.of().get(PATH, curve=ROLLED, format="csv")).text.splitlines()[0].split(",")
    assert (header[0], header[1], header[-1]) == ("bucket", "from_period", "curve")


async def test_a_pattern_has_own_curves_of_the_caller_alone(desks: Desks) -> None:
    params = {"curve": "power:X*", "a": str(THURSDAY), "b": str(FRIDAY)}
    mine, other = [await desks.of(tenant).get(PATH, **params) for tenant in ("acme", "bolt")]
    keys = [{one["key"] for one in answer.json()["meta"]["curves"]} for answer in (mine, other)]
    assert keys[0] - keys[1] == {OWN}
    assert mine.headers["etag"] != other.headers["etag"]
    assert mine.headers["cache-control"] == other.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("curve", "status", "why"),
    [
        ("power:NOWHERE:*", 422, "no curve matches"),
        (",".join(f"power:X{number}*" for number in range(51)), 422, "51 patterns"),
        (",".join(f"k{number}" for number in range(1_001)), 422, "more than 1,000 curves"),
        (f"{ROLLED},power:XC:bas:EXCH", 404, "power:XC:bas:EXCH"),
        (" , ", 422, "is missing"),
    ],
    ids=["nothing", "patterns", "curves", "unknown", "empty"],
)
@pytest.mark.parametrize("path", [PATH, "/v2/curves/diff"])
async def test_curves_are_named_as_for_a_comparison(desks: Desks, path: str, curve: str, status: int, why: str) -> None:
    refused = await desks.of().get(path, curve=curve)
    assert refused.status_code == status
    assert why in refused.text


@pytest.mark.parametrize("name", ["csv", "ndjson", "arrow", "parquet"])
async def test_the_same_rows_in_every_format(desks: Desks, name: str) -> None:
    params = {"curve": ROLLED, "a": str(THURSDAY), "b": str(MONDAY)}
    rows = await desks.of().rows(PATH, **params)
    content = (await desks.of().get(PATH, format=name, **params)).content
    if name == "ndjson":
        assert [json.loads(line) for line in content.splitlines()] == rows
        return
    frame = {"csv": pl.read_csv, "arrow": pl.read_ipc_stream, "parquet": pl.read_parquet}[name](io.BytesIO(content))
    assert {"bucket", "from_period", "from_start", "from_price", "from_method", "to_price", *COMPONENTS} < set(frame.columns)
    assert frame["quote_move"].to_list() == [row["quote_move"] for row in rows]
    assert frame["from_price"].to_list() == [row["from"]["price"] for row in rows]


async def positions(desks: Desks, *held: Mapping[str, object], tenant: str = "acme", **more: object) -> dict[str, Any]:
    body = {"positions": list(held), "a": str(THURSDAY), "b": str(FRIDAY), **more}
    response = await desks.of(tenant).send("POST", PATH, json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def test_profit_and_loss_by_position_bucket_and_currency(desks: Desks) -> None:
    answer = await positions(
        desks,
        {"curve": ROLLED, "period": "Oct-24", "mw": 10},
        {"curve": ROLLED, "period": "Q4-24", "mw": -1},
        {"curve": NBP, "period": "Oct-24", "mwh": 1_000},
        {"curve": WTI, "period": "Nov-24", "volume": 1_000},
    )
    first, quarter, gas, oil = answer["data"]
    assert (first["volume"], first["measure"], first["bucket"], first["currency"]) == (7450.0, "MWh", "M+2", "EUR")
    assert [first[name] for name in (*COMPONENTS, "total")] == [-13037.5, 0.0, 1862.5, 0.0, -11175.0]
    assert (first["from"], first["to"]) == ({"price": 90.0, "method": "quoted"}, {"price": 88.5, "method": "quoted"})
    assert (quarter["volume"], quarter["bucket"]) == (-2209.0, "Q+1")
    assert quarter["methodology"] != 0.0
    # Three pence per therm, in pounds for megawatt hours.
    assert (gas["unit"], gas["currency"], gas["volume"]) == ("GBp/therm", "GBP", 1000.0)
    assert gas["total"] == pytest.approx(3.0 * 0.3412141633127942 * 1000)
    assert (oil["measure"], oil["total"], oil["bucket"]) == ("bbl", -500.0, "M+3")
    for row in answer["data"]:
        check_sum(row)
    totals = {one["currency"]: one for one in answer["meta"]["totals"]}
    assert set(totals) == {"EUR", "GBP", "USD"}
    assert totals["EUR"]["positions"] == 2
    assert totals["EUR"]["is_complete"]
    assert Decimal(repr(totals["EUR"]["total"])) == sum(Decimal(repr(one["total"])) for one in (first, quarter))
    for one in totals.values():
        check_sum(one)
    buckets = {(one["bucket"], one["currency"]): one["total"] for one in answer["meta"]["buckets"]}
    assert buckets["M+2", "EUR"] == -11175.0
    assert buckets["M+3", "USD"] == -500.0
    assert answer["meta"]["curves"][0]["as_of_a"] == "2024-08-30T16:29:59.999999Z"


async def test_a_position_without_a_price_makes_its_totals_incomplete(desks: Desks) -> None:
    answer = await positions(
        desks, {"curve": ROLLED, "period": "Oct-24", "mw": 1}, {"curve": ROLLED, "period": "Jan-26", "mw": 1}
    )
    missing = answer["data"][1]
    assert (missing["total"], missing["quote_move"], missing["reason"]) == (
        None, None, "it has no price on the earlier trade date",
    )  # fmt: skip
    (total,) = answer["meta"]["totals"]
    assert (total["is_complete"], total["positions"], total["valued"], total["total"]) == (False, 2, 1, None)
    by_tenor = {one["bucket"]: one for one in answer["meta"]["buckets"]}
    assert by_tenor["M+2"]["is_complete"]
    assert not by_tenor["M+17"]["is_complete"]


async def test_amounts_of_several_currencies_are_summed_in_the_one_that_is_named(desks: Desks, store: Store) -> None:
    rates = [(datetime(2024, 8, 29, 22, tzinfo=UTC), 1.25, datetime(2024, 8, 30, tzinfo=UTC), 0)]
    usd = InventedSeries(
        "ecb:reference_rates:EURUSD:rate", "USD/EUR", "1d", "Europe/Berlin", None, rates, None, "EUR in USD",
        business_days="TARGET",
    )  # fmt: skip
    await store.loader.load(series_file(usd))
    held = ({"curve": ROLLED, "period": "Sep-24", "mwh": 100}, {"curve": WTI, "period": "Nov-24", "volume": 1_000})
    answer = await positions(desks, *held, currency="EUR")
    assert [row["currency"] for row in answer["data"]] == ["EUR", "EUR"]
    assert [row["total"] for row in answer["data"]] == pytest.approx([-200.0, -400.0])
    (total,) = answer["meta"]["totals"]
    assert (total["currency"], total["total"]) == ("EUR", pytest.approx(-600.0))
    assert "rate for 2024-08-30" in answer["meta"]["exchange"]
    assert answer["meta"]["fx"] == [{"pair": "EURUSD", "trade_date": "2024-08-30", "rate": 1.25, "date": "2024-08-30"}]


async def test_positions_in_every_format(desks: Desks) -> None:
    body = {"positions": [{"curve": ROLLED, "period": "Oct-24", "mw": 1}], "a": str(THURSDAY), "b": str(FRIDAY)}
    for name, read in (("csv", pl.read_csv), ("arrow", pl.read_ipc_stream), ("parquet", pl.read_parquet)):
        response = await desks.of().send("POST", PATH, json=body | {"format": name})
        frame = read(io.BytesIO(response.content))
        assert frame["total"].to_list() == [-1117.5]
        assert {"curve", "period", "bucket", "volume", "from_price", "to_price", "currency"} < set(frame.columns)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"curve": ROLLED, "a": "2024-09-02", "b": "2024-08-29"}, "a"),
        ({"curve": ROLLED, "a": "monday"}, "a"),
        ({"curve": ROLLED, "roll": "sometimes"}, "roll"),
        ({"curve": ROLLED, "roll": "last_trading_day"}, "roll"),
        ({"curve": ROLLED, "field": "volume_mwh"}, "field"),
        ({"curve": ROLLED, "as_of_a": "soon"}, "as_of_a"),
        ({"curve": ROLLED, "as_of_b": "soon"}, "as_of_b"),
        ({"curve": ROLLED, "as_of_a": "2024-09-01", "as_of_b": "2024-08-30"}, "as_of_a"),
        ({"curve": ROLLED, "unit": "MW"}, "unit"),
        ({"curve": ROLLED, "from": "2024-08-29"}, "from"),
        ({}, "curve"),
    ],
)
async def test_a_bad_parameter_is_named(desks: Desks, params: dict[str, str], field: str) -> None:
    response = await desks.of().get(PATH, **params)
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("position", "field"),
    [
        ({"curve": ROLLED, "period": "Q5-24", "mw": 1}, "positions.0.period"),
        ({"curve": ROLLED, "period": "Q4-24"}, "positions.0"),
        ({"curve": ROLLED, "period": "Q4-24", "mw": 1, "mwh": 2}, "positions.0"),
        ({"curve": ROLLED, "period": "Q4-24", "mw": "1"}, "positions.0.mw"),
        ({"curve": WTI, "period": "Nov-24", "mw": 1}, "positions.0.mw"),
        ({"curve": ROLLED, "period": "Q4-24", "mw": 1, "side": "buy"}, "positions.0.side"),
    ],
)
async def test_a_bad_position_is_named(desks: Desks, position: dict[str, object], field: str) -> None:
    response = await desks.of().send("POST", PATH, json={"positions": [position]})
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["field"] == field


@pytest.mark.parametrize("name", ["a", "b"])
async def test_a_wrong_trade_date_of_a_body_is_refused_as_that_of_a_parameter(desks: Desks, name: str) -> None:
    position = {"curve": ROLLED, "period": "Q4-24", "mw": 1}
    for wrong in ("2018-02-30", "yesterday", "0001-01-01"):
        posted = await desks.of().send("POST", PATH, json={"positions": [position], name: wrong})
        assert posted.status_code == 422, posted.text
        got = await desks.of().get(PATH, curve=ROLLED, **{name: wrong})
        assert posted.json()["errors"] == got.json()["errors"]
        assert [one["field"] for one in posted.json()["errors"]] == [name]


async def test_no_position_is_refused_in_a_plain_sentence(desks: Desks) -> None:
    response = await desks.of().send("POST", PATH, json={"positions": []})
    assert response.json()["errors"] == [
        {"field": "positions", "message": "must have at least 1 item, and has none", "value": "[]"}
    ]


@pytest.mark.parametrize("name", ["mw", "mwh", "volume"])
async def test_an_absurd_volume_is_refused_and_the_largest_has_an_amount(desks: Desks, name: str) -> None:
    for number in ("1e308", "-1e308", "1e9999", "-1e9999", "1000000001", "1" + "0" * 400, "NaN", "Infinity", '"1e3"', "true"):
        content = f'{{"positions": [{{"curve": "{ROLLED}", "period": "Oct-24", "{name}": {number}}}]}}'
        response = await desks.of().send("POST", PATH, content=content, headers={"content-type": "application/json"})
        assert response.status_code in (400, 422), (number, response.text)
    for volume in (1e9, -1e9, -0.0, 5e-324):
        position = {"curve": ROLLED, "period": "Oct-24", name: volume}
        response = await desks.of().send("POST", PATH, json={"positions": [position]})
        assert response.status_code == 200, (volume, response.text)


async def test_curves_of_another_tenant_are_not_found(desks: Desks) -> None:
    assert (await desks.of().get(PATH, curve="power:XC:bas:EXCH")).status_code == 404
    mine = await desks.of().get(PATH, curve=OWN)
    assert (mine.status_code, len(mine.json()["data"])) == (200, 5)
    tag = mine.headers["etag"]
    assert (await desks.of().send("GET", f"{PATH}?curve={OWN}", headers={"if-none-match": tag})).status_code == 304
    other = await desks.of("bolt").send("GET", f"{PATH}?curve={OWN}", headers={"if-none-match": tag})
    assert other.status_code == 404
    body = {"positions": [{"curve": OWN, "period": "Oct-24", "mw": 1}]}
    assert (await desks.of("bolt").send("POST", PATH, json=body)).status_code == 404
    assert (await desks.of().send("POST", PATH, json=body)).status_code == 200


async def test_reading_needs_the_scope(desks: Desks) -> None:
    for response in (
        await desks.of(role="market").get(PATH, curve=BASE),
        await desks.of(role="market").send("POST", PATH, json={"positions": [{"curve": BASE, "period": "Q1-25", "mw": 1}]}),
    ):
        assert (response.status_code, response.json()["scope"]) == (403, "curves:read")


async def test_a_curve_without_quotes_has_nothing_to_explain(desks: Desks) -> None:
    bare = {"key": "power:XZ:base:DESK", "title": "Bare", "unit": "EUR/MWh", "tick": 0.01, "calendar": "eu_power"}
    assert (await desks.of().send("POST", "/v2/products", json=bare)).status_code == 201
    answer = (await desks.of().get(PATH, curve="power:XZ:base:DESK")).json()
    assert (answer["data"], answer["meta"]["a"], answer["meta"]["b"]) == ([], None, None)
    body = {"positions": [{"curve": "power:XZ:base:DESK", "period": "Q1-25", "mw": 1}]}
    response = await desks.of().send("POST", PATH, json=body)
    assert response.json()["data"][0]["reason"] is not None
