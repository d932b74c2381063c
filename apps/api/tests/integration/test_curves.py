"""Forward curves over HTTP: quotes, history, strips and moves, in every format, as of any instant, for each tenant its own."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime

import polars as pl
import pytest
from api_curves import BASE, FRENCH, PEAK, Desks

from aurum.api.testing.observations import InventedSeries, file_of
from aurum.storage.testing.stores import Store

Q1_PERIOD = {
    "label": "Q1-25",
    "kind": "quarter",
    "start": "2024-12-31T23:00:00Z",
    "end": "2025-03-31T22:00:00Z",
    "hours": 2159,
}
QUOTES, HISTORY, STRIPS = (f"/v2/curves/{BASE}/{name}" for name in ("quotes", "history", "strips"))


async def test_curves_are_listed_with_facets_page_by_page(desks: Desks) -> None:
    desk = desks.of()
    first = (await desk.get("/v2/curves", venue="EXCH", limit="2")).json()
    assert [one["key"] for one in first["data"]] == [BASE, PEAK]
    assert first["meta"]["facets"] == {
        "commodity": {"power": 3},
        "area": {"XA": 2, "XB": 1},
        "block": {"base": 2, "peak": 1},
        "venue": {"EXCH": 3},
    }
    second = (await desk.get("/v2/curves", venue="EXCH", limit="2", cursor=first["meta"]["next_cursor"])).json()
    assert [one["key"] for one in second["data"]] == [FRENCH]
    assert second["meta"]["next_cursor"] is None
    assert [one["key"] for one in await desk.rows("/v2/curves", text="invented xb")] == [FRENCH]
    base = first["data"][0]
    assert (base["owner"], base["first_trade_date"], base["last_trade_date"]) == ("shared", "2024-10-11", "2024-10-14")


async def test_a_curve_has_its_calendar_and_the_sessions_that_it_lacks(desks: Desks) -> None:
    data = (await desks.of().get(f"/v2/curves/{BASE}")).json()["data"]
    assert data["delivery_calendar"]["zone"] == "Europe/Berlin"
    assert data["completeness"] == {
        "calendar": "XEEE",
        "expected": 2,
        "received": 2,
        "missing_count": 0,
        "missing": [],
        "outside_count": 0,
        "outside": [],
    }


async def test_completeness_of_each_kind_of_period_is_an_answer_of_its_own(desks: Desks) -> None:
    desk = desks.of()
    assert (await desk.get(f"/v2/curves/{BASE}")).json()["data"]["kinds"] == []
    kinds = (await desk.get(f"/v2/curves/{BASE}", by_kind="true")).json()["data"]["kinds"]
    assert [(one["kind"], one["expected"], one["missing_count"]) for one in kinds] == [("month", 2, 0), ("quarter", 2, 0)]
    assert all(one["quotes"] >= one["received"] for one in kinds)


async def test_quotes_of_the_newest_trade_date_have_their_periods_and_known_times(desks: Desks) -> None:
    response = await desks.of().get(QUOTES, fields="settle,mid")
    rows, meta = response.json()["data"], response.json()["meta"]
    assert [row["period"]["label"] for row in rows] == ["Jan-25", "Q1-25", "Feb-25", "Mar-25", "Q2-25"]
    assert rows[1] == {
        "trade_date": "2024-10-14",
        "period": Q1_PERIOD,
        "settle": 98.31,
        "mid": 98.31,
        "known_at": "2024-10-14T16:30:00Z",
    }
    assert [row["period"]["hours"] for row in rows] == [744, 2159, 672, 743, 2184]
    assert (meta["count"], meta["trade_date"], meta["derived"]) == (5, "2024-10-14", ["mid"])
    assert (meta["curve"]["key"], meta["curve"]["unit"]) == (BASE, "EUR/MWh")


async def test_quotes_are_those_known_at_an_instant(desks: Desks) -> None:
    desk = desks.of()
    now = {row["period"]["label"]: row for row in await desk.rows(QUOTES)}
    then = {row["period"]["label"]: row for row in await desk.rows(QUOTES, as_of="2024-10-15T08:59:59Z")}
    assert (now["Q2-25"]["settle"], now["Q2-25"]["known_at"]) == (79.0, "2024-10-15T09:00:00Z")
    assert (then["Q2-25"]["settle"], then["Q2-25"]["known_at"]) == (78.48, "2024-10-14T16:30:00Z")
    before = await desk.rows(QUOTES, as_of="2024-10-14T16:29:59Z")
    assert {row["trade_date"] for row in before} == {"2024-10-11"}, "the newest trade date is the newest one known by then"
    assert await desk.rows(QUOTES, as_of="2024-10-01") == []


async def test_a_span_a_kind_and_an_unpriced_quote(desks: Desks) -> None:
    desk = desks.of()
    rows = await desk.rows(QUOTES, **{"from": "2024-10-11", "to": "2024-10-14", "kind": "quarter", "fields": "settle"})
    assert [(row["trade_date"], row["period"]["label"], row["settle"]) for row in rows] == [
        ("2024-10-11", "Q1-25", 96.14),
        ("2024-10-11", "Q2-25", None),
        ("2024-10-14", "Q1-25", 98.31),
        ("2024-10-14", "Q2-25", 79.0),
    ]
    assert await desk.rows(QUOTES, trade_date="2024-10-12") == []


async def test_history_of_a_period_in_any_spelling(desks: Desks) -> None:
    desk = desks.of()
    rows = await desk.rows(HISTORY, period="2025Q1", fields="settle")
    assert [(row["trade_date"], row["settle"]) for row in rows] == [("2024-10-11", 96.14), ("2024-10-14", 98.31)]
    assert all(row["period"] == Q1_PERIOD for row in rows)
    two = await desk.rows(HISTORY, **{"period": "Jan-25,Q1-25", "from": "2024-10-14"})
    assert [row["period"]["label"] for row in two] == ["Jan-25", "Q1-25"]


async def test_a_strip_is_the_average_by_hours_beside_the_quote_of_the_exchange(desks: Desks) -> None:
    (strip,) = await desks.of().rows(STRIPS, period="Q1-25", trade_date="2024-10-14")
    assert strip["value"] == pytest.approx((102.0 * 744 + 104.11 * 672 + 89.37 * 743) / 2159, rel=1e-12)
    assert (strip["quoted"], strip["method"], strip["coverage"]) == (98.31, "from_finer", 1.0)
    assert strip["difference"] == pytest.approx(strip["value"] - 98.31)
    assert [(part["period"]["label"], part["weight"], part["value"]) for part in strip["parts"]] == [
        ("Jan-25", 744.0, 102.0),
        ("Feb-25", 672.0, 104.11),
        ("Mar-25", 743.0, 89.37),
    ]
    assert strip["reason"] is None


async def test_a_strip_that_quotes_do_not_cover_has_no_value_and_the_reason(desks: Desks) -> None:
    year, later = await desks.of().rows(STRIPS, period="2025,2027")
    assert (year["value"], year["method"], year["parts"]) == (None, None, [])
    assert year["coverage"] == pytest.approx((2159 + 2184) / 8760)
    assert "2025-07-01" in year["reason"]
    assert (later["value"], later["coverage"]) == (None, 0.0)


async def test_a_strip_of_each_month_of_three_years_is_one_request(desks: Desks) -> None:
    months = [f"{year}-{month:02d}" for year in (2025, 2026, 2027) for month in range(1, 13)]
    rows = await desks.of().rows(STRIPS, period=",".join(months))
    assert len(rows) == 36


async def test_strips_of_other_weights_and_sides(desks: Desks) -> None:
    desk = desks.of()
    (days,) = await desk.rows(STRIPS, period="Q1-25", weighting="days")
    assert days["value"] == pytest.approx((102.0 * 31 + 104.11 * 28 + 89.37 * 31) / 90)
    (equal,) = await desk.rows(STRIPS, period="Q1-25", weighting="equal")
    assert equal["value"] == pytest.approx((102.0 + 104.11 + 89.37) / 3)
    (sessions,) = await desk.rows(STRIPS, period="Q1-25", weighting="sessions")
    assert sum(part["weight"] for part in sessions["parts"]) == 63
    off_peak = {
        side: (await desk.rows(STRIPS, period="Jan-25", side=side, block="off_peak"))[0] for side in ("bid", "settle", "ask")
    }
    ((base_hours, base), (peak_hours, peak)) = [(part["weight"], part["value"]) for part in off_peak["settle"]["parts"]]
    # Peak has a negative weight: selling off-peak is selling base and buying peak.
    for side, edge in (("bid", -0.5), ("ask", 0.5)):
        assert [part["value"] for part in off_peak[side]["parts"]] == [base + edge, peak - edge]
        value = (base_hours * (base + edge) + peak_hours * (peak - edge)) / (base_hours + peak_hours)
        assert off_peak[side]["value"] == pytest.approx(value)
    assert off_peak["bid"]["value"] < off_peak["settle"]["value"] < off_peak["ask"]["value"]
    (bid,) = await desk.rows(STRIPS, period="Q1-25", side="bid")
    (settle,) = await desk.rows(STRIPS, period="Q1-25")
    assert bid["value"] == pytest.approx(settle["value"] - 0.5)


async def test_off_peak_is_made_of_base_and_peak_by_hours(desks: Desks) -> None:
    (strip,) = await desks.of().rows(STRIPS, period="Jan-25", block="off_peak")
    peak_hours = 23 * 12
    assert strip["period"]["hours"] == 744 - peak_hours
    assert strip["value"] == pytest.approx((102.0 * 744 - 112.0 * peak_hours) / (744 - peak_hours))
    assert [(part["block"], part["weight"]) for part in strip["parts"]] == [("base", 744.0), ("peak", -276.0)]
    (peak,) = await desks.of().rows(STRIPS, period="Jan-25", block="peak")
    assert (peak["value"], peak["period"]["hours"]) == (112.0, 276)


async def test_moves_are_ranked_and_say_what_was_listed(desks: Desks) -> None:
    desk = desks.of()
    response = (await desk.get("/v2/curves/diff", curve=BASE, as_of="2024-10-15T00:00:00Z")).json()
    assert (response["meta"]["a"], response["meta"]["b"]) == ("2024-10-11", "2024-10-14")
    moves = [(row["period"]["label"], row["move"], row["status"]) for row in response["data"]]
    assert moves == [
        ("Feb-25", 2.25, "both"),
        ("Mar-25", 2.21, "both"),
        ("Q1-25", 2.17, "both"),
        ("Jan-25", 2.05, "both"),
        ("Q2-25", None, "unpriced"),
    ]
    both = (await desk.get("/v2/curves/diff", curve="power:X*", kind="month", sort="curve")).json()
    statuses = {(row["curve"], row["period"]["label"]): row["status"] for row in both["data"]}
    assert statuses[FRENCH, "Jan-25"] == "expired"
    assert statuses[PEAK, "Jan-25"] == "listed"
    assert both["meta"]["total"] == 7
    top = (await desk.get("/v2/curves/diff", curve="power:X*", limit="1")).json()
    assert (top["meta"]["count"], top["meta"]["total"]) == (1, 11)


NEAREST = "nearest trade dates: 2024-10-11, 2024-10-14"


@pytest.mark.parametrize("path", ["/v2/curves/diff", "/v2/curves/explain"])
@pytest.mark.parametrize(
    ("dates", "field", "message"),
    [
        ({"a": "2024-10-13", "b": "2024-10-14"}, "a", f"no quotes on 2024-10-13; {NEAREST}"),
        ({"a": "2024-10-11", "b": "2024-10-12"}, "b", f"no quotes on 2024-10-12; {NEAREST}"),
        ({"a": "2024-10-11", "b": "2030-01-01"}, "b", "no quotes on 2030-01-01; nearest trade dates: 2024-10-14"),
    ],
)
async def test_moves_from_or_to_a_date_without_quotes_are_refused(
    desks: Desks, path: str, dates: dict[str, str], field: str, message: str
) -> None:
    refused = await desks.of().get(path, curve=BASE, **dates)
    assert refused.status_code == 422, refused.text
    document = refused.json()
    assert [(one["field"], one["message"], one["value"]) for one in document["errors"]] == [(field, message, dates[field])]
    assert document["nearest"][-1] == "2024-10-14"


async def test_positions_on_a_date_without_quotes_are_refused(desks: Desks) -> None:
    body = {"positions": [{"curve": BASE, "period": "Q1-25", "mw": 1}], "a": "2024-10-13", "b": "2024-10-14"}
    refused = await desks.of().send("POST", "/v2/curves/explain", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "a")


async def test_an_answer_without_quotes_says_why(desks: Desks) -> None:
    desk = desks.of()
    for path, params, reason in (
        (QUOTES, {"trade_date": "2024-10-13"}, f"no quotes on 2024-10-13; {NEAREST}"),
        (QUOTES, {"from": "2024-10-12", "to": "2024-10-13"}, f"no quotes on these trade dates; {NEAREST}"),
        (QUOTES, {"trade_date": "2024-10-14", "kind": "week"}, "none of the requested periods is quoted on 2024-10-14"),
        (HISTORY, {"period": "Jan-99"}, "none of the requested periods is quoted on these trade dates"),
        (QUOTES, {}, None),
    ):
        answer = (await desk.get(path, **params)).json()
        assert (answer["meta"]["reason"], answer["data"] == []) == (reason, reason is not None), params
    (strip,) = await desk.rows(STRIPS, period="Q1-25", trade_date="2030-01-01")
    assert strip["reason"] == "no quotes on 2030-01-01; nearest trade dates: 2024-10-14"
    for path in ("/v2/curves/diff", "/v2/curves/explain"):
        first = (await desk.get(path, curve=BASE, b="2024-10-11")).json()["meta"]
        assert (first["a"], first["reason"]) == (
            None, "2024-10-11 is the first trade date with quotes: there is none before it",
        )  # fmt: skip
        assert (await desk.get(path, curve=BASE)).json()["meta"]["reason"] is None


async def test_previous_skips_days_without_data(desks: Desks) -> None:
    meta = (await desks.of().get("/v2/curves/diff", curve=BASE, b="2024-10-14")).json()["meta"]
    assert meta["a"] == "2024-10-11"
    first = (await desks.of().get("/v2/curves/diff", curve=BASE, b="2024-10-11")).json()
    assert first["meta"]["a"] is None
    assert {row["status"] for row in first["data"]} == {"listed"}


async def test_many_curves_in_one_answer(desks: Desks) -> None:
    desk = desks.of()
    body = {"curves": ["power:XA:*", FRENCH], "from": "2024-10-11", "periods": ["Jan-25"], "fields": ["settle"]}
    response = await desk.send("POST", "/v2/curves/query", json=body)
    rows = [(row["curve"], row["trade_date"], row["settle"]) for row in response.json()["data"]]
    assert rows == [
        (BASE, "2024-10-11", 99.95),
        (BASE, "2024-10-14", 102.0),
        (PEAK, "2024-10-14", 112.0),
        (FRENCH, "2024-10-11", 80.0),
    ]
    assert [one["key"] for one in response.json()["meta"]["curves"]] == [BASE, PEAK, FRENCH]


@pytest.mark.parametrize("name", ["csv", "ndjson", "arrow", "parquet"])
async def test_the_same_rows_in_every_format(desks: Desks, name: str) -> None:
    desk = desks.of()
    rows = await desk.rows(QUOTES)
    content = (await desk.get(QUOTES, format=name)).content
    if name == "ndjson":
        assert [json.loads(line) for line in content.splitlines()] == rows
        return
    read = {"csv": pl.read_csv, "arrow": pl.read_ipc_stream, "parquet": pl.read_parquet}[name]
    frame = read(io.BytesIO(content))
    assert frame.columns[:6] == ["trade_date", "period", "kind", "start", "end", "hours"]
    assert frame["period"].cast(pl.String).to_list() == [row["period"]["label"] for row in rows]
    assert frame["settle"].to_list() == [row["settle"] for row in rows]
    assert frame["hours"].to_list() == [row["period"]["hours"] for row in rows]
    if name != "csv":
        assert frame["trade_date"].to_list() == [date(2024, 10, 14)] * 5
        assert frame["start"].to_list()[0] == datetime(2024, 12, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize("path", [STRIPS, "/v2/curves/diff"])
@pytest.mark.parametrize("name", ["csv", "arrow", "parquet"])
async def test_strips_and_moves_are_tables_too(desks: Desks, path: str, name: str) -> None:
    params = {"period": "Q1-25,2027"} if path == STRIPS else {"curve": BASE}
    response = await desks.of().get(path, format=name, **params)
    assert response.status_code == 200, response.text
    read = {"csv": pl.read_csv, "arrow": pl.read_ipc_stream, "parquet": pl.read_parquet}[name]
    frame = read(io.BytesIO(response.content))
    assert {"period", "kind", "start", "end", "hours"} < set(frame.columns)
    assert frame["period"].cast(pl.String)[0] == ("Q1-25" if path == STRIPS else "Feb-25")


async def test_columns_of_json(desks: Desks) -> None:
    data = (await desks.of().get(HISTORY, period="Q1-25", fields="settle", layout="columns")).json()["data"]
    assert data["settle"] == [96.14, 98.31]
    assert data["period"] == [Q1_PERIOD, Q1_PERIOD]


async def test_prices_in_another_unit(desks: Desks) -> None:
    response = (await desks.of().get(HISTORY, period="Q1-25", fields="settle,volume_mwh", unit="EUR/GJ")).json()
    assert [row["settle"] for row in response["data"]] == pytest.approx([96.14 / 3.6, 98.31 / 3.6])
    assert [row["volume_mwh"] for row in response["data"]] == [2159.0, 2159.0]
    assert response["meta"]["curve"]["unit"] == "EUR/GJ"


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        (HISTORY, {"period": "Q5-25"}, "period"),
        (HISTORY, {"period": "BOM"}, "period"),
        (STRIPS, {"period": "Q1-25", "block": "saturday"}, "block"),
        (STRIPS, {"period": ","}, "period"),
        (STRIPS, {"period": "Q1-25", "weighting": "volume"}, "weighting"),
        (QUOTES, {"trade_date": "yesterday"}, "trade_date"),
        (QUOTES, {"trade_date": "0001-01-01"}, "trade_date"),
        (HISTORY, {"period": "Q1-25", "from": "1969-12-31"}, "from"),
        (HISTORY, {"period": "Q1-25", "to": "9999-12-31"}, "to"),
        (STRIPS, {"period": "DA", "trade_date": "9999-12-31"}, "trade_date"),
        (f"/v2/curves/{BASE}/shape", {"from": "0001-01-01"}, "from"),
        (QUOTES, {"trade_date": "2024-10-14", "from": "2024-10-11"}, "trade_date"),
        (QUOTES, {"from": "2024-10-14", "to": "2024-10-11"}, "from"),
        (QUOTES, {"kind": "months"}, "kind"),
        (QUOTES, {"fields": "settl"}, "fields"),
        (QUOTES, {"unit": "MW"}, "unit"),
        (QUOTES, {"unit": "furlong"}, "unit"),
        (QUOTES, {"currency": "USD"}, "currency"),
        (QUOTES, {"as_of": "soon"}, "as_of"),
        (QUOTES, {"periode": "Q1-25"}, "periode"),
        ("/v2/curves/diff", {}, "curve"),
        ("/v2/curves/diff", {"curve": "gas:*"}, "curve"),
        ("/v2/curves/diff", {"curve": BASE, "a": "monday"}, "a"),
        ("/v2/curves/diff", {"curve": BASE, "field": "volume_mwh"}, "field"),
    ],
)
async def test_a_bad_parameter_is_named(desks: Desks, path: str, params: dict[str, str], field: str) -> None:
    response = await desks.of().get(path, **params)
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["field"] == field


async def test_unknown_curves_are_not_found_with_the_nearest_ones(desks: Desks) -> None:
    for path in ("power:XA:bas:EXCH", "power:XA:bas:EXCH/quotes", "power:XA:bas:EXCH/strips?period=Q1-25", "nonsense"):
        response = await desks.of().get(f"/v2/curves/{path}")
        assert response.status_code == 404, response.text
    assert BASE in (await desks.of().get("/v2/curves/power:XA:bas:EXCH")).json()["nearest"]


async def test_a_document_that_is_too_long_is_refused(desks: Desks) -> None:
    body = {"curves": ["power:X*"] * 2, "from": "2000-01-01"}
    assert (await desks.of().send("POST", "/v2/curves/query", json=body)).status_code == 200
    assert (await desks.of().send("POST", "/v2/curves/query", json=body | {"curves": []})).status_code == 422


async def test_an_answer_is_tagged_by_the_versions_of_its_data(desks: Desks, store: Store) -> None:
    desk = desks.of()
    paths = (QUOTES, f"{HISTORY}?period=Q1-25", f"{STRIPS}?period=Q1-25", "/v2/curves/diff?curve=power:X*", "/v2/curves")
    for path in paths:
        tag = (await desk.get(path)).headers["etag"]
        again = await desk.send("GET", path, headers={"if-none-match": tag})
        assert (again.status_code, again.content) == (304, b""), path
        assert (await desk.send("GET", path, headers={"if-none-match": '"other"'})).status_code == 200


async def test_reading_needs_the_scope(desks: Desks) -> None:
    for path in ("/v2/curves", QUOTES, "/v2/curves/diff?curve=*"):
        response = await desks.of(role="market").get(path)
        assert (response.status_code, response.json()["scope"]) == (403, "curves:read")
        assert (await desks.served.client.get(path)).status_code == 401


async def test_prices_are_exchanged_at_the_rate_of_their_trade_date(desks: Desks, store: Store) -> None:
    days = [datetime(2024, 10, day, 22, tzinfo=UTC) for day in (10, 13)]
    rates = [(day, rate, day, 0) for day, rate in zip(days, (1.5, 2.0), strict=True)]
    series = InventedSeries(
        "ecb:reference_rates:EURUSD:rate",
        "USD/EUR",
        "1d",
        "Europe/Berlin",
        None,
        rates,
        None,
        "EUR in USD",
        business_days="TARGET",
    )
    await store.loader.load(file_of(series))
    response = (await desks.of().get(HISTORY, period="Q1-25", fields="settle,volume_mwh", currency="USD")).json()
    assert [row["settle"] for row in response["data"]] == pytest.approx([96.14 * 1.5, 98.31 * 2.0])
    assert [row["volume_mwh"] for row in response["data"]] == [2159.0, 2159.0]
    assert (response["meta"]["curve"]["unit"], response["meta"]["curve"]["currency"]) == ("USD/MWh", "USD")
    moves = (await desks.of().get("/v2/curves/diff", curve=BASE, kind="quarter", currency="USD", limit="1")).json()
    assert moves["data"][0]["move"] == pytest.approx(98.31 * 2.0 - 96.14 * 1.5)
    assert moves["meta"]["fx"] == [
        {"pair": "EURUSD", "trade_date": "2024-10-11", "rate": 1.5, "date": "2024-10-11"},
        {"pair": "EURUSD", "trade_date": "2024-10-14", "rate": 2.0, "date": "2024-10-14"},
    ]
    for path, more in ((QUOTES, {}), (STRIPS, {"period": "Q1-25"})):
        own = (await desks.of().get(path, trade_date="2024-10-14", currency="USD", **more)).json()["meta"]
        assert own["fx"] == moves["meta"]["fx"][1:]
        assert (await desks.of().get(path, trade_date="2024-10-14", **more)).json()["meta"]["fx"] == []
    assert response["meta"]["fx"] == []


async def test_a_trade_date_without_its_exchange_rate_is_named(desks: Desks, store: Store) -> None:
    friday = datetime(2024, 10, 10, 22, tzinfo=UTC)
    series = InventedSeries(
        "ecb:reference_rates:EURUSD:rate",
        "USD/EUR",
        "1d",
        "Europe/Berlin",
        None,
        [(friday, 1.5, friday, 0)],
        None,
        "EUR in USD",
        business_days="TARGET",
    )
    await store.loader.load(file_of(series))
    for path, more in (
        (QUOTES, {}),
        (HISTORY, {"period": "Q1-25"}),
        (STRIPS, {"period": "Q1-25"}),
        ("/v2/curves/diff", {"curve": BASE}),
    ):
        response = await desks.of().get(path, currency="USD", **more)
        assert response.status_code == 422, path
        problem = response.json()
        assert (problem["pair"], problem["trade_date"]) == ("EURUSD", "2024-10-14")
        assert [error["field"] for error in problem["errors"]] == ["currency"]
        assert "not published yet" in problem["detail"]
