"""``POST /v2/curves/build`` and ``GET /v2/curves/{key}/shape``: answers, formats, receipts, bad input, tenants."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
import pytest_asyncio
from api_curves import BASE, FRENCH, MONDAY, OPERATOR, OWN, PEAK, Desk, Desks, file_of, product, serving_desks

from aurum.api.testing import file_of as series_file
from aurum.api.testing import hourly
from aurum.common.clock import SystemClock
from aurum.storage.memory import MemoryStore

SHAPED = "power:XS:base:EXCH"
SPOT = "invented:day_ahead:XA:price"
START = datetime(2023, 10, 15, 22, tzinfo=UTC)
QUARTER = [
    {"period": "Jan-25", "price": 102.0},
    {"period": "Feb-25", "price": 104.11},
    {"period": "Mar-25", "price": 89.37},
    {"period": "Q1-25", "price": 98.31},
]


@pytest_asyncio.fixture(loop_scope="session")
async def desks(tmp_path: Path) -> AsyncIterator[Desks]:
    store = MemoryStore(SystemClock())
    async with serving_desks(store, None, tmp_path, document_rows=2_000) as running:
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.curve_reference.put_product(product(OWN), tenant="acme")
            await tx.curve_reference.put_product(replace(product(SHAPED), settles_on=SPOT), tenant=None)
        values = [60.0 + 20.0 * ((hour + 2) % 24 in range(8, 20)) for hour in range(24 * 366)]
        await store.loader.load(series_file(hourly(SPOT, START, values)))
        january, years = (date(2025, 1, 1), date(2025, 2, 1)), (date(2025, 1, 1), date(2027, 1, 1))
        await store.loader.load(file_of({SHAPED: {MONDAY: {january: 100.0, years: 80.0}}}))
        yield running


@pytest.fixture
def desk(desks: Desks) -> Desk:
    return desks.of()


async def built(desk: Desk, **body: Any) -> dict[str, Any]:
    response = await desk.send("POST", "/v2/curves/build", json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def refused(desk: Desk, status: int, **body: Any) -> dict[str, Any]:
    response = await desk.send("POST", "/v2/curves/build", json=body)
    assert response.status_code == status, response.text
    return response.json()


async def test_a_build_has_curve_report_and_receipt(desk: Desk) -> None:
    answer = await built(desk, curve=BASE, trade_date="2024-10-14")
    assert set(answer) == {"curve", "report", "receipt", "meta"}
    assert len(answer["curve"]) == answer["meta"]["count"] == 181
    assert answer["curve"][0] | {"value": 0} == {"start": "2024-12-31T23:00:00Z", "end": "2025-01-01T23:00:00Z", "value": 0}
    assert answer["curve"][-1]["end"] == "2025-06-30T22:00:00Z"
    report = answer["report"]
    assert (report["quotes"], report["independent"], report["redundant"]) == (5, 4, 1)
    assert report["max_abs_error"] < 1e-9
    assert (answer["meta"]["trade_date"], answer["meta"]["unit"], answer["meta"]["calendar"]) == (
        "2024-10-14", "EUR/MWh", "eu_power",
    )  # fmt: skip


async def test_members_of_the_output_are_made_once_and_bounded(desk: Desk) -> None:
    answer = await built(desk, curve=BASE, quotes=QUARTER, output=["jacobian", "jacobian", "report"])
    assert list(answer) == ["jacobian", "report", "receipt", "meta"]
    refused = await desk.send("POST", "/v2/curves/build", json={"curve": BASE, "output": ["jacobian"] * 300})
    assert refused.status_code == 422


async def test_output_names_the_members_and_periods_have_their_prices(desk: Desk) -> None:
    answer = await built(
        desk, curve=BASE, quotes=QUARTER, periods=["Feb-25", "Q1-25"], output=["periods", "jacobian"], layout="columns"
    )
    assert set(answer) == {"periods", "jacobian", "receipt", "meta"}
    assert [(one["period"]["label"], one["period"]["hours"], one["block"]) for one in answer["periods"]] == [
        ("Feb-25", 672, "BASE"), ("Q1-25", 2159, "BASE"),
    ]  # fmt: skip
    assert answer["periods"][1]["value"] == pytest.approx(98.310250, abs=1e-6)
    assert answer["jacobian"]["quotes"] == ["Jan-25", "Feb-25", "Mar-25", "Q1-25"]
    assert answer["jacobian"]["values"][0] == pytest.approx([0, 1, 0, 0], abs=1e-9)


async def test_base_and_peak_are_built_together(desk: Desk) -> None:
    answer = await built(desk, curve=BASE, together=[PEAK], output=["curve", "periods"], layout="columns")
    assert list(answer["curve"]) == ["start", "end", "value", "peak", "off_peak"]
    assert {one["block"] for one in answer["periods"]} == {"BASE", "PEAK", "OFF_PEAK"}


async def test_a_receipt_repeats_its_build_and_a_restated_input_is_a_conflict(desk: Desk) -> None:
    first = await built(desk, curve=BASE, as_of="2024-10-14T20:00:00Z")
    again = await built(desk, receipt=first["receipt"])
    assert (again["curve"], again["receipt"]) == (first["curve"], first["receipt"])
    receipt = first["receipt"]
    receipt["quotes"][0]["price"] += 1.0
    problem = await refused(desk, 422, receipt=receipt)
    assert problem["errors"][0]["field"] == "receipt"
    assert "has been changed since it was made" in problem["detail"]
    problem = await refused(desk, 409, receipt=receipt | {"digest": None})
    assert problem["restated"] == [{"input": "quote Jan-25", "was": 103.0, "now": 102.0}]
    problem = await refused(desk, 422, receipt={"method": 1})
    assert problem["errors"]


async def test_errors_are_those_of_a_build_or_of_a_repeat_alone(desk: Desk) -> None:
    problem = await refused(desk, 422, curve=BASE, grid="P1W", trade_date="2018-02-30")
    assert [one["field"] for one in problem["errors"]] == ["trade_date", "grid"]
    assert problem["errors"][0]["message"].startswith("must be a date YYYY-MM-DD, latest or previous: ")
    problem = await refused(desk, 422, receipt={})
    assert {one["field"].partition(".")[0] for one in problem["errors"]} == {"receipt"}
    receipt = (await built(desk, curve=BASE))["receipt"]
    problem = await refused(desk, 422, receipt=receipt, curve=BASE, grid="PT1H", layout="columns")
    assert [one["field"] for one in problem["errors"]] == ["curve", "grid"]
    assert "a repeat takes receipt, output, layout and format alone" in problem["detail"]


@pytest.mark.parametrize("format", ["csv", "ndjson", "arrow", "parquet"])
async def test_what_a_format_cannot_have_is_refused(desk: Desk, format: str) -> None:
    wanted = {"output": ["curve", "report", "receipt"], "format": format}
    receipt = (await built(desk, curve=BASE))["receipt"]
    for body in ({"curve": BASE}, {"receipt": receipt}):
        problem = await refused(desk, 422, **body, **wanted)
        assert problem["errors"][0]["field"] == "output"
        assert f"only json has report, receipt; {format} has the curve alone" in problem["detail"]
        for fitting in ({"format": format}, {"format": format, "output": ["curve"]}):
            assert (await desk.send("POST", "/v2/curves/build", json=body | fitting)).status_code == 200
    accepted = await desk.send(
        "POST", "/v2/curves/build", json={"curve": BASE, "output": ["report"]}, headers={"accept": "text/csv"}
    )
    assert accepted.status_code == 422


async def test_strict_refuses_contradictions_and_names_the_quotes(desk: Desk) -> None:
    quotes = [*QUARTER[:3], {"period": "Q1-25", "price": 98.33}]
    answer = await built(desk, curve=BASE, quotes=quotes, output=["report"])
    assert answer["report"]["contradictions"][0]["size"] == pytest.approx(0.019750, abs=1e-6)
    problem = await refused(desk, 422, curve=BASE, quotes=quotes, strict=True)
    (one,) = problem["contradictions"]
    assert (one["quote"], [term["weight"] for term in one["implied_by"]]) == ("Q1-25", [744.0, 672.0, 743.0])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"quotes": [{"period": "Foo", "price": 1}]}, "quotes.0.period"),
        ({"quotes": [{"period": "Jan-25", "price": 1, "block": "LUNCH"}]}, "quotes.0.block"),
        ({"prior": {"season": {"amplitude": 1, "peak_day": 15}, "curve": BASE}}, "prior"),
        ({"grid": "P7D"}, "grid"),
        ({"surplus": 1}, "surplus"),
        ({"in_delivery": "net_realised", "trade_date": "2025-01-02", "quotes": QUARTER}, "in_delivery"),
        ({"trade_date": "sometime"}, "trade_date"),
    ],
)
async def test_bad_input_names_its_field(desk: Desk, body: dict[str, Any], field: str) -> None:
    problem = await refused(desk, 422, curve=BASE, **body)
    assert any(field in error["field"] for error in problem["errors"])


async def test_a_build_over_nothing_is_refused(desk: Desk) -> None:
    problem = await refused(desk, 422, curve=BASE, trade_date="2024-10-13")
    assert "no priced quotes on 2024-10-13" in problem["detail"]
    assert "no quotes" in (await refused(desk, 422, curve=OWN))["detail"]


async def test_products_are_those_of_the_caller(desks: Desks) -> None:
    quotes = [{"period": "2026", "price": 80.0}]
    answer = await built(desks.of("acme"), curve=OWN, quotes=quotes)
    assert answer["curve"][0]["value"] == pytest.approx(80.0)
    await refused(desks.of("bolt"), 404, curve=OWN, quotes=quotes)
    await refused(desks.of("bolt"), 404, curve=BASE, together=[OWN], quotes=quotes)
    await refused(desks.of("acme", "market"), 403, curve=BASE)


async def test_other_formats_have_the_curve_alone(desk: Desk) -> None:
    body = {"curve": BASE, "quotes": QUARTER, "grid": "PT1H"}
    arrow = await desk.send("POST", "/v2/curves/build", json=body | {"format": "arrow"})
    table = pa.ipc.open_stream(arrow.content).read_all()
    assert (table.num_rows, table.column_names) == (2159, ["start", "end", "value"])
    assert table.schema.metadata[b"curve"] == BASE.encode()
    csv = await desk.send("POST", "/v2/curves/build", json=body, headers={"accept": "text/csv"})
    assert csv.text.splitlines()[0] == "start,end,value"
    long = await desk.send("POST", "/v2/curves/build", json={"curve": BASE, "quotes": QUARTER, "grid": "PT1H"})
    assert long.status_code == 422
    assert "2,159" in long.json()["detail"]


async def test_the_shape_is_hourly_keeps_the_price_and_has_a_tag(desk: Desk) -> None:
    path = f"/v2/curves/{SHAPED}/shape"
    response = await desk.get(path, **{"from": "2025-01-01", "to": "2025-01-02"})
    assert response.status_code == 200, response.text
    document = response.json()
    assert len(document["data"]) == 24
    by_hour = [row["value"] for row in document["data"]]
    assert by_hour[12] / by_hour[0] == pytest.approx(80 / 60)
    assert document["meta"]["shape"]["series"] == SPOT
    month = await desk.get(path, **{"from": "2025-01-01", "to": "2025-02-01", "format": "csv"})
    assert pl.read_csv(BytesIO(month.content))["value"].mean() == pytest.approx(100.0, abs=1e-9)
    day = {"from": "2025-01-01", "to": "2025-01-02"}
    again = await desk.send("GET", path, headers={"if-none-match": response.headers["etag"]}, params=day)
    assert again.status_code == 304


async def test_above_ten_thousand_cells_the_answer_is_arrow_unless_a_format_is_named(desk: Desk) -> None:
    path = f"/v2/curves/{SHAPED}/shape"
    response = await desk.get(path)
    assert response.headers["content-type"] == "application/vnd.apache.arrow.stream"
    table = pa.ipc.open_stream(response.content).read_all()
    assert table.num_rows == (365 + 365) * 24
    parquet = await desk.get(path, format="parquet", resolution="PT15M", to="2025-02-01")
    assert pl.read_parquet(BytesIO(parquet.content)).height == 31 * 96
    assert (await desk.get(path, format="json")).status_code == 422  # more rows than this service sends in a document


async def test_a_curve_without_spot_prices_needs_a_shape_by_name(desk: Desk) -> None:
    response = await desk.get(f"/v2/curves/{FRENCH}/shape", trade_date="2024-10-11")
    assert response.status_code == 422
    assert "settles_on" in response.json()["detail"]
    missing = await desk.get(f"/v2/curves/{BASE}/shape", shape="nothing")
    assert missing.json()["errors"][0]["field"] == "shape"
    assert (await desk.get("/v2/curves/power:NO:base:EXCH/shape")).status_code == 404


async def test_a_shape_is_learned_stored_as_versions_and_used_by_its_name(desks: Desks) -> None:
    path = f"/v2/curves/{SHAPED}/shape"
    body = {"name": "xs", "from": "2023-10-16", "to": "2024-10-14"}
    trader = desks.of()
    made = await trader.send("POST", path, json=body)
    assert made.status_code == 201, made.text
    document = made.json()["data"]
    assert (document["name"], document["owner"], document["version"]) == ("xs", "tenant", 1)
    assert document["document"]["origin"] | {"learned_at": None} == {
        "series": SPOT, "first": "2023-10-16", "end": "2024-10-14", "as_of": None, "learned_at": None, "coverage": 1.0,
    }  # fmt: skip
    assert (await trader.send("POST", path, json=body)).status_code == 409
    assert (await trader.send("POST", path, json=body | {"version": 1, "by_month": True})).json()["data"]["version"] == 2
    day = {"from": "2025-01-01", "to": "2025-01-02", "shape": "xs"}
    assert (await trader.get(path, **day)).json()["meta"]["shape"]["version"] == 2
    # Its knowledge is that of today, so a curve of the past is not shaped by it; and it belongs to its tenant.
    assert (await trader.get(path, **day, as_of="2024-10-15T00:00:00Z")).status_code == 422
    assert (await desks.of("bolt").get(path, **day)).status_code == 422
    assert (await trader.send("POST", path, json=body | {"owner": "shared"})).status_code == 403
    assert (await desks.of("acme", "user").send("POST", path, json=body)).status_code == 403
    assert (await trader.send("POST", path, json=body | {"from": "2025-01-01"})).status_code == 422
    sparse = await trader.send("POST", path, json=body | {"name": "ys", "from": "2020-10-16"})
    assert "90% of the spot hours" in sparse.json()["detail"]
