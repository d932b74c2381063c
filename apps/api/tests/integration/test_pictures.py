"""Pictures of curves over HTTP: on every route that draws them, by parameter and ``Accept``, cached, each tenant's own."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NoReturn

import pytest
import pytest_asyncio
from api_curves import BASE, FRENCH, FRIDAY, JAN, MONDAY, OPERATOR, OWN, PEAK, Desk, Desks, file_of, product, serving_desks
from lxml import etree

from aurum.api.testing import file_of as series_file
from aurum.api.testing import hourly
from aurum.common.clock import SystemClock
from aurum.storage.memory import MemoryStore

pytestmark = pytest.mark.needs_process

QUOTES = f"/v2/curves/{BASE}/quotes"
SHAPED, SPOT = "power:XS:base:EXCH", "invented:day_ahead:XA:price"
START = datetime(2023, 10, 15, 22, tzinfo=UTC)
OBSERVATIONS = f"/v2/series/{SPOT}/observations"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
DRAWN = [
    (QUOTES, {}),
    (QUOTES, {"vs": "previous"}),
    (QUOTES, {"vs": "2024-10-11", "kind": "month", "theme": "dark"}),
    (f"/v2/curves/{BASE}/history", {"period": "Q1-25,Jan-25"}),
    (f"/v2/curves/{BASE}/strips", {"period": "Jan-25,Feb-25,Q1-25,Q2-25"}),
    (f"/v2/curves/{BASE}/continuous", {"front": "Q+1", "adjust": "difference"}),
    ("/v2/curves/diff", {"curve": BASE}),
    ("/v2/curves/diff", {"curve": "power:XA:*,power:XB:*"}),
    ("/v2/curves/explain", {"curve": BASE}),
    ("/v2/curves/explain", {"curve": "power:XA:*,power:XB:*", "theme": "dark"}),
    (f"/v2/curves/{SHAPED}/shape", {"from": "2025-01-01", "to": "2025-01-08"}),
    (OBSERVATIONS, {"start": "2023-10-28", "end": "2023-10-30", "tz": "Europe/Berlin"}),
    (OBSERVATIONS, {"freq": "1d", "order": "desc", "limit": "30"}),
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desks(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desks]:
    store = MemoryStore(SystemClock())
    async with serving_desks(store, None, tmp_path_factory.mktemp("service"), document_rows=2_000) as running:
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.curve_reference.put_product(replace(product(SHAPED), settles_on=SPOT), tenant=None)
        values = [60.0 + 20.0 * ((hour + 2) % 24 in range(8, 20)) for hour in range(24 * 366)]
        await store.loader.load(series_file(hourly(SPOT, START, values)))
        january, years = (date(2025, 1, 1), date(2025, 2, 1)), (date(2025, 1, 1), date(2027, 1, 1))
        await store.loader.load(file_of({SHAPED: {MONDAY: {january: 100.0, years: 80.0}}}))
        yield running


@pytest.fixture
def desk(desks: Desks) -> Desk:
    return desks.of()


def words(svg: bytes) -> str:
    root = etree.fromstring(svg)
    return " ".join("".join(one.itertext()) for one in root.iter("{*}text"))


@pytest.mark.parametrize(("path", "params"), DRAWN, ids=[f"{path} {params}" for path, params in DRAWN])
async def test_every_route_with_pictures_draws_svg_and_png(desk: Desk, path: str, params: dict[str, str]) -> None:
    svg = await desk.get(path, format="svg", **params)
    assert svg.status_code == 200, svg.text
    assert svg.headers["content-type"] == "image/svg+xml"
    assert ("USD/MWh" if path == OBSERVATIONS else "EUR/MWh") in words(svg.content)
    png = await desk.get(path, format="png", width="640", height="360", **params)
    assert png.status_code == 200, png.text
    assert png.headers["content-type"] == "image/png"
    assert struct.unpack(">II", png.content[16:24]) == (640, 360)
    for response in (svg, png):
        assert response.headers["content-security-policy"] == POLICY
        assert response.headers["content-disposition"].startswith('inline; filename="')


SPREAD = {"template": "calendar", "legs": {"near": {"curve": BASE, "period": "Jan-25"}, "far": {"period": "Feb-25"}}}
EXPLAINED = {"positions": [{"curve": BASE, "period": "Jan-25", "mw": 10}, {"curve": BASE, "period": "Q1-25", "mwh": -500}]}
OF_CURVES = {"template": "custom", "legs": {"b": {"curve": BASE, "weight": 1}, "p": {"curve": PEAK, "weight": -1}}}
POSTED = [
    ("spread", SPREAD | {"from": str(FRIDAY), "to": str(MONDAY)}, ("by trade date", "near", "EUR/MWh", "Source: EXCH.")),
    ("spread", OF_CURVES | {"periods": ["Jan-25", "Q1-25"]}, ("Mon 14 Oct 2024", "months", "quarters")),
    (
        "explain",
        EXPLAINED,
        (
            "Profit and loss",
            "2 positions valued at settlements, else mids, by tenor",
            "quote move",
            "total",
            "M+3",
            "Q+1",
            "all",
            "EUR",
        ),
    ),
]


@pytest.mark.parametrize(("path", "body", "expected"), POSTED, ids=["through dates", "by delivery", "positions"])
async def test_questions_in_bodies_are_drawn_as_well(
    desk: Desk, path: str, body: dict[str, object], expected: tuple[str, ...]
) -> None:
    svg = await desk.send("POST", f"/v2/curves/{path}", json=body | {"format": "svg", "theme": "dark"})
    assert svg.status_code == 200, svg.text
    assert svg.headers["content-type"] == "image/svg+xml"
    assert svg.headers["content-security-policy"] == POLICY
    assert svg.headers["cache-control"] == "private, no-cache"
    shown = words(svg.content)
    assert all(word in shown for word in expected), shown
    png = await desk.send("POST", f"/v2/curves/{path}", json=body | {"format": "png", "width": 640, "height": 360})
    assert struct.unpack(">II", png.content[16:24]) == (640, 360)
    again = await desk.send("POST", f"/v2/curves/{path}", json=body | {"format": "svg", "theme": "dark"})
    assert (again.content, again.headers["etag"]) == (svg.content, svg.headers["etag"])
    refused = await desk.send("POST", f"/v2/curves/{path}", json=body | {"width": 640})
    assert [one["field"] for one in refused.json()["errors"]] == ["width"]
    for bad in ({"format": "gif"}, {"format": "png", "width": 20}, {"format": "png", "width": "640"}):
        assert (await desk.send("POST", f"/v2/curves/{path}", json=body | bad)).status_code == 422


async def test_an_explanation_shows_its_components_by_tenor(desk: Desk) -> None:
    shown = words((await desk.get("/v2/curves/explain", curve=BASE, format="svg")).content)
    for text in (
        "M+3",
        "M+4",
        "Q+1",
        "quote move",
        "total",
        "+2.05",
        "Fri 11 Oct 2024 to Mon 14 Oct 2024",
        "without components",
    ):
        assert text in shown, text
    assert "methodology" not in shown
    many = words((await desk.get("/v2/curves/explain", curve=f"{BASE},{FRENCH}", format="svg")).content)
    assert f"{BASE} M+3" in many


async def test_the_marks_of_a_set_are_drawn_beside_the_quotes_under_overrides(desks: Desks) -> None:
    desk = desks.of(role="carl")
    new = {"name": "picture", "trade_date": str(MONDAY), "curves": [BASE, PEAK]}
    path = f"/v2/curves/sets/{(await desk.send('POST', '/v2/curves/sets', json=new)).json()['data']['set_id']}"
    override = {"curve": BASE, "period": "Jan-25", "settle": 95.5, "reason": "broker runs after the close"}
    assert (await desk.send("POST", f"{path}/overrides", json=override)).status_code == 201
    drawn = words((await desk.get(f"{path}/values", curve=BASE, format="svg")).content)
    for text in ("marks of picture, draft, Mon 14 Oct 2024", "1 override", "quotes under overrides", "Override less quote"):
        assert text in drawn
    assert "no overrides" in words((await desk.get(f"{path}/values", curve=PEAK, format="svg")).content)
    both = await desk.get(f"{path}/values", format="svg")
    assert (both.status_code, both.json()["errors"][0]["field"]) == (422, "curve")
    rows = (await desk.get(f"{path}/values", curve=PEAK)).json()
    assert {row["curve"] for row in rows["data"]} == {PEAK}
    assert (await desk.get(f"{path}/values", curve=FRENCH)).status_code == 422


async def test_the_times_of_observations_are_those_of_the_answer_and_their_zone_is_named(desk: Desk) -> None:
    day = {"start": "2023-11-05", "end": "2023-11-06", "format": "svg"}
    for tz, zone in ((None, "UTC"), ("market", "America/New_York"), ("Asia/Kolkata", "Asia/Kolkata")):
        shown = words((await desk.get(OBSERVATIONS, **day, **({} if tz is None else {"tz": tz}))).content)
        assert f"hourly · times in {zone}" in shown
        assert "5 Nov 2023" in shown.split("hourly")[0]
        assert ("01:00 EST" in shown) == (zone == "America/New_York")
    shown = words((await desk.get(OBSERVATIONS, **(day | {"end": "2023-11-08", "freq": "1d"}))).content)
    assert "daily mean · days in America/New_York" in shown
    assert "00:00" not in shown.split("As known")[0]


async def test_a_history_has_its_periods_in_the_order_of_the_question(desk: Desk) -> None:
    for order in (("Q1-25", "Jan-25"), ("Jan-25", "Q1-25")):
        shown = words((await desk.get(f"/v2/curves/{BASE}/history", period=",".join(order), format="svg")).content)
        assert f"settle of {', '.join(order)} by trade date" in shown
        assert f" {' '.join(order)} " in shown
        assert "Not drawn" not in shown
        assert ":00" not in shown.split("As known")[0]


async def test_a_picture_says_what_it_does_not_show(desk: Desk) -> None:
    for path, params, text in (
        (QUOTES, {"trade_date": "2024-10-11"}, "Not drawn, without a price: Q2-25."),
        (f"/v2/curves/{BASE}/history", {"period": "Jan-25,Q3-29"}, "Not drawn, without a price: Q3-29."),
        (f"/v2/curves/{BASE}/strips", {"period": "Jan-25,Q3-29"}, "Not drawn, without a price: Q3-29 (no"),
        (f"/v2/curves/{BASE}/continuous", {"front": "Q+2"}, "No values before 14 Oct 2024."),
        ("/v2/curves/diff", {"curve": f"{BASE},{PEAK}"}, f"Not drawn, without a price: {PEAK} (no period is priced on both"),
        ("/v2/curves/explain", {"curve": f"{BASE},{PEAK}"}, f"Not drawn, without a price: {PEAK} (no tenor has prices on both"),
    ):
        assert text in words((await desk.get(path, format="svg", **params)).content), path


async def test_a_spread_shows_its_plant_and_names_periods_without_a_price(desk: Desk) -> None:
    legs = {
        "power": {"curve": BASE},
        "gas": {"value": 40.0, "unit": "EUR/MWh"},
        "emissions": {"value": 65.0, "unit": "EUR/t"},
    }
    plant = {"heating_value": "LHV", "emission_intensity": 0.202}
    body = {"template": "clean_spark", "legs": legs, "periods": ["Jan-25", "Q1-25", "Q3-25"], "format": "svg"}
    for stated, text in (
        ({"efficiency": 0.5}, "efficiency 0.5 (LHV)"),
        ({"heat_rate": 2.0, "heat_rate_unit": "MWh/MWh"}, "heat rate 2 MWh/MWh (LHV)"),
    ):
        drawn = await desk.send("POST", "/v2/curves/spread", json=body | {"parameters": plant | stated})
        assert drawn.status_code == 200, drawn.text
        shown = words(drawn.content)
        assert f"settle · {text} · emission intensity 0.202 t/MWh" in shown
        assert "Not drawn, without a price: Q3-25 (power: no" in shown
        assert f"Legs: power {BASE}, gas 40 EUR/MWh, emissions 65 EUR/t." in shown
        assert "Jul" not in shown


async def test_a_long_hourly_curve_shows_the_mean_of_each_day_the_days_of_its_shape_and_those_without_quotes(
    desk: Desk,
) -> None:
    path = f"/v2/curves/{SHAPED}/shape"
    shown = words((await desk.get(path, format="svg", **{"from": "2026-01-01", "to": "2027-06-01"})).content)
    for text in (
        "hourly shape curve of Mon 14 Oct 2024",
        "shape of the spot prices from 2023-10-15 up to 2024-10-15",
        "mean of each day",
        "lowest to highest of the day",
        "No values after 1 Jan 2027 00:00. Without quotes: 2027-01-01 up to 2027-06-01 (no price).",
    ):
        assert text in shown, shown
    flat = {"from": "2026-12-31", "to": "2027-01-02", "extrapolate": "flat"}
    assert "up to 2027-01-02 (extrapolated, flat)" in words((await desk.get(path, format="svg", **flat)).content)


async def test_prices_from_a_build_are_marked(desk: Desk) -> None:
    strips = f"/v2/curves/{SHAPED}/strips"
    assert "from a build" in words((await desk.get(strips, period="Jan-25,Feb-25", format="svg")).content)
    assert "from a build" not in words((await desk.get(strips, period="Jan-25", format="svg")).content)
    one = {"template": "custom", "legs": {"a": {"curve": SHAPED, "weight": 1}}, "periods": ["Jan-25", "Feb-25"]}
    spread = await desk.send("POST", "/v2/curves/spread", json=one | {"format": "svg"})
    assert "from a build" in words(spread.content)


async def test_a_picture_names_the_curve_the_dates_and_the_source(desk: Desk) -> None:
    shown = words((await desk.get(QUOTES, format="svg", vs="previous")).content)
    for text in (f"Invented {BASE}", "Mon 14 Oct 2024", "Fri 11 Oct 2024", "Move since", "months", "quarters", "Source: EXCH."):
        assert text in shown
    assert "As of 2024-10-14 18:00 UTC" in words((await desk.get(QUOTES, format="svg", as_of="2024-10-14T18:00:00Z")).content)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("image/svg+xml", "image/svg+xml"),
        ("image/png", "image/png"),
        ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "image/svg+xml"),
        ("image/png, application/json;q=0.5", "image/png"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("application/json", "application/json"),
        ("text/csv, image/png;q=0.9", "text/csv"),
    ],
)
async def test_accept_chooses_a_picture_as_any_format(desk: Desk, accept: str, expected: str) -> None:
    for _ in range(2):  # the second from the response cache
        response = await desk.send("GET", QUOTES, headers={"accept": accept})
        assert response.status_code == 200
        assert response.headers["content-type"].split(";")[0] == expected


async def test_a_route_without_pictures_offers_none(desk: Desk) -> None:
    refused = await desk.send("POST", "/v2/curves/query", json={"curves": [BASE]}, headers={"accept": "image/png"})
    assert refused.status_code == 406
    assert "image/png" not in refused.json()["offered"]


async def test_an_unchanged_picture_is_a_304(desk: Desk) -> None:
    first = await desk.get(QUOTES, format="svg")
    again = await desk.send("GET", QUOTES, params={"format": "svg"}, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await desk.get(QUOTES, format="svg", theme="dark")
    assert other.headers["etag"] != first.headers["etag"]
    assert (await desk.get(QUOTES, format="svg")).headers["x-cache"] == "hit"


async def test_a_picture_of_observations_that_is_cached_reads_none(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    day = {"start": "2023-11-01", "end": "2023-11-02", "format": "svg"}
    first = await desk.get(OBSERVATIONS, **day)

    async def refused(*_: object) -> NoReturn:
        raise AssertionError("observations were read")

    monkeypatch.setattr("aurum.api.observations.pictures.collected_frame", refused)
    again = await desk.send("GET", OBSERVATIONS, params=day, headers={"cache-control": "no-cache"})
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["x-cache"] != "hit"


async def test_a_picture_changes_with_its_quotes(tmp_path: Path) -> None:
    store = MemoryStore(SystemClock())
    async with serving_desks(store, None, tmp_path) as desks:
        desk = desks.of()
        before = await desk.get(f"/v2/curves/{FRENCH}/quotes", format="svg")
        await store.loader.load(file_of({FRENCH: {date(2024, 10, 14): {JAN: 85.0}}}))
        after = await desk.send(
            "GET",
            f"/v2/curves/{FRENCH}/quotes",
            params={"format": "svg"},
            headers={"if-none-match": before.headers["etag"], "cache-control": "no-cache"},
        )
        assert after.status_code == 200
        assert "Mon 14 Oct 2024" in words(after.content)


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        (QUOTES, {"format": "svg", "trade_date": "2023-01-02"}, "trade_date"),
        (QUOTES, {"format": "svg", "from": "2024-10-11", "to": "2024-10-14"}, "from"),
        (QUOTES, {"format": "svg", "vs": "2023-01-02"}, "vs"),
        (QUOTES, {"format": "svg", "vs": "latest"}, "vs"),
        (QUOTES, {"format": "svg", "vs": "previous", "trade_date": "2024-10-11"}, "vs"),
        (QUOTES, {"format": "svg", "vs": "soon"}, "vs"),
        (QUOTES, {"format": "json", "vs": "previous"}, "vs"),
        (QUOTES, {"width": "400"}, "width"),
        (QUOTES, {"format": "csv", "theme": "dark"}, "theme"),
        (QUOTES, {"format": "svg", "width": "319"}, "width"),
        (QUOTES, {"format": "svg", "height": "2161"}, "height"),
        (QUOTES, {"format": "svg", "theme": "pink"}, "theme"),
        (QUOTES, {"format": "gif"}, "format"),
        (OBSERVATIONS, {"format": "svg", "start": "2022-01-01", "end": "2022-01-02"}, "start"),
        (OBSERVATIONS, {"format": "svg", "width": "20"}, "width"),
        (OBSERVATIONS, {"format": "svg", "height": "tall"}, "height"),
        (OBSERVATIONS, {"format": "svg", "layout": "columns"}, "layout"),
        (OBSERVATIONS, {"format": "json", "theme": "dark"}, "theme"),
        (f"/v2/curves/{BASE}/history", {"format": "png", "period": "Q3-29"}, "period"),
        (f"/v2/curves/{BASE}/strips", {"format": "png", "period": "Q3-29"}, "period"),
        (f"/v2/curves/{BASE}/continuous", {"format": "png", "front": "Y+1"}, "front"),
        ("/v2/curves/diff", {"format": "png", "curve": PEAK}, "a"),
        ("/v2/curves/explain", {"format": "png", "curve": PEAK}, "a"),
        ("/v2/curves/explain", {"curve": BASE, "theme": "dark"}, "theme"),
        (QUOTES, {"format": "svg", "vs": "2024-10-14"}, "vs"),
        (QUOTES, {"format": "svg", "vs": "2024-10-13"}, "vs"),
        (QUOTES, {"format": "svg", "vs": "2024-10-15"}, "vs"),
    ],
)
async def test_what_cannot_be_drawn_is_refused_by_the_name_of_the_parameter(
    desk: Desk, path: str, params: dict[str, str], field: str
) -> None:
    refused = await desk.get(path, **params)
    assert refused.status_code == 422, refused.text[:200]
    assert [one["field"] for one in refused.json()["errors"]] == [field]


async def test_pictures_of_own_curves_are_of_their_tenant_alone(tmp_path: Path) -> None:
    store = MemoryStore(SystemClock())
    async with serving_desks(store, None, tmp_path) as desks:
        for tenant, price in (("acme", 10.0), ("bolt", 90.0)):
            async with store.transactions.transaction(by=OPERATOR) as tx:
                await tx.curve_reference.put_product(product(OWN), tenant=tenant)
            await store.loader.load(file_of({OWN: {date(2024, 10, 14): {JAN: price}}}, tenant=tenant))
        path = f"/v2/curves/{OWN}/quotes"
        acme, bolt = [await desks.of(tenant).get(path, format="svg") for tenant in ("acme", "bolt")]
        assert (acme.status_code, bolt.status_code) == (200, 200)
        assert acme.content != bolt.content
        assert acme.headers["etag"] != bolt.headers["etag"]
        assert acme.headers["cache-control"] == "private, no-cache"
        assert "Authorization" in acme.headers["vary"]
        crossed = await desks.of("bolt").send(
            "GET", path, params={"format": "svg"}, headers={"if-none-match": acme.headers["etag"]}
        )
        assert (crossed.status_code, crossed.content) == (200, bolt.content)
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.curve_reference.put_product(product("power:XC:base:DESK"), tenant="acme")
        assert (await desks.of("bolt").get("/v2/curves/power:XC:base:DESK/quotes", format="png")).status_code == 404


async def test_a_hostile_title_is_text_in_the_picture(tmp_path: Path) -> None:
    store = MemoryStore(SystemClock())
    async with serving_desks(store, None, tmp_path) as desks:
        title = "</text><script>alert(1)</script> $x$ & \u202etxt"
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.curve_reference.put_product(replace(product(OWN), title=title), tenant="acme")
        await store.loader.load(file_of({OWN: {date(2024, 10, 14): {JAN: 1.0}}}, tenant="acme"))
        response = await desks.of().get(f"/v2/curves/{OWN}/quotes", format="svg")
        assert response.status_code == 200
        assert not etree.fromstring(response.content).findall(".//{*}script")
        assert "<script>alert(1)</script> $x$ & txt" in words(response.content)


async def test_head_says_what_get_would(desk: Desk) -> None:
    got = await desk.get(QUOTES, format="png")
    head = await desk.send("HEAD", QUOTES, params={"format": "png"})
    assert (head.status_code, head.content) == (200, b"")
    assert {name: head.headers[name] for name in ("etag", "content-type", "content-length")} == {
        name: got.headers[name] for name in ("etag", "content-type", "content-length")
    }


async def test_a_list_has_sparklines_where_they_are_requested(desk: Desk) -> None:
    rows = {one["key"]: one["sparkline"] for one in await desk.rows("/v2/curves", venue="EXCH", sparkline="true")}
    line = rows[BASE]
    assert (line["first"], line["last"], line["points"]) == ("2024-10-11", "2024-10-14", [99.95, 102.0])
    etree.fromstring(line["svg"])
    assert rows[FRENCH]["points"] == [80.0]
    assert all(one["sparkline"] is None for one in await desk.rows("/v2/curves"))


async def test_a_page_with_sparklines_shows_own_curves_to_their_tenant_alone(tmp_path: Path) -> None:
    store = MemoryStore(SystemClock())
    async with serving_desks(store, None, tmp_path) as desks:
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.curve_reference.put_product(product(OWN), tenant="acme")
        await store.loader.load(file_of({OWN: {date(2024, 10, 14): {JAN: 77.5}}}, tenant="acme"))
        acme, bolt = [await desks.of(one).get("/v2/curves", sparkline="true") for one in ("acme", "bolt")]
        assert "77.5" in acme.text
        assert "77.5" not in bolt.text
        assert acme.headers["etag"] != bolt.headers["etag"]
