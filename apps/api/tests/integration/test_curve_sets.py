"""``/v2/curves/sets``: from a draft to the official file of the morning, by two persons."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
import pytest_asyncio
from api_curves import BASE, FRENCH, JAN, MONDAY, OPERATOR, PEAK, Q2, Desk, Desks, file_of, product, serving_desks

from aurum.api.testing import InMemory, Served, serving
from aurum.common.clock import SystemClock
from aurum.common.settings import AccessSettings, Settings
from aurum.services.curves import CurveReading
from aurum.services.curves.marks import plan_set, read_set, write_marks
from aurum.services.observations import Reading
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.curves import CurveQuotes
from aurum.storage.ports.files import FileLoad
from aurum.storage.testing.stores import PostgresStore

SETS = "/v2/curves/sets"
NEW = {"name": "close", "trade_date": str(MONDAY), "curves": ["power:XA:*:EXCH"]}
JANUARY = {
    "label": "Jan-25",
    "kind": "month",
    "start": "2024-12-31T23:00:00Z",
    "end": "2025-01-31T23:00:00Z",
    "hours": 744,
}
OVERRIDE = {"curve": BASE, "period": "Jan-25", "settle": 95.5, "reason": "broker runs after the close"}


@pytest_asyncio.fixture(loop_scope="session")
async def desks(postgres_store: PostgresStore, database_url: str, tmp_path: Path) -> AsyncIterator[Desks]:
    async with serving_desks(postgres_store, database_url, tmp_path) as serving_now:
        yield serving_now


async def data(desk: Desk, method: str, path: str, body: dict[str, Any] | None = None, status: int = 200) -> dict[str, Any]:
    answer = await desk.send(method, path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()["data"]


async def new_set(desk: Desk, **changes: object) -> str:
    return (await data(desk, "POST", SETS, NEW | changes, 201))["set_id"]


async def submitted(desks: Desks, by: str = "anna", **changes: object) -> str:
    set_id = await new_set(desks.of(role=by), **changes)
    await data(desks.of(role=by), "POST", f"{SETS}/{set_id}:submit")
    return set_id


def without_settlement(load: FileLoad) -> FileLoad:
    """Return a file with only the bids and the asks of another."""
    (part,) = load.parts
    assert isinstance(part, CurveQuotes)
    return replace(load, parts=(replace(part, rows=part.rows.with_columns(settle=pl.lit(None, pl.Float64))),))


def fields(answer: Any) -> list[str]:
    return [one["field"] for one in answer.json()["errors"]]


async def test_a_morning_from_draft_to_official(desks: Desks) -> None:
    anna, bert, carl = (desks.of(role=person) for person in ("anna", "bert", "carl"))
    set_id = await new_set(carl)
    overridden = await carl.send("POST", f"{SETS}/{set_id}/overrides", json=OVERRIDE | {"version": 1, "expires": "2024-10-18"})
    assert overridden.status_code == 201, overridden.text
    assert (overridden.json()["meta"]["version"], overridden.json()["data"]["person"]) == (2, "owner:carl")
    assert overridden.json()["data"]["period"] == JANUARY
    draft = await data(carl, "GET", f"{SETS}/{set_id}")
    assert (draft["state"], draft["curves"], draft["missing"], draft["values_count"]) == ("draft", [BASE, PEAK], [], 10)
    first = next(row for row in draft["values"] if row["override"] is not None)
    assert (first["curve"], first["period"]["label"], first["quoted"], first["value"]) == (BASE, "Jan-25", 102.0, 95.5)
    assert (first["source"], first["flags"], first["bid"], first["unit"]) == ("override", ["override"], None, "EUR/MWh")
    assert (draft["overrides"][0]["expires"], draft["overrides"][0]["period"]) == ("2024-10-18", JANUARY)
    assert (await data(carl, "POST", f"{SETS}/{set_id}:submit", {"version": 2}))["state"] == "submitted"
    assert (await carl.send("POST", f"{SETS}/{set_id}/overrides", json=OVERRIDE)).status_code == 409
    refused = await carl.send("POST", f"{SETS}/{set_id}:approve", json={})
    assert (refused.status_code, refused.json()["scope"]) == (403, "curves:approve")
    assert (await data(bert, "POST", f"{SETS}/{set_id}:approve"))["state"] == "approved"
    official = await data(anna, "POST", f"{SETS}/{set_id}:close", {})
    assert (official["state"], official["set_id"]) == ("official", set_id)
    assert [(step["step"], step["person"]) for step in official["steps"]] == [
        ("create", "owner:carl"),
        ("submit", "owner:carl"),
        ("approve", "owner:bert"),
        ("close", "owner:anna"),
    ]


async def test_who_submits_cannot_approve_whatever_the_key(desks: Desks) -> None:
    set_id = await submitted(desks, "anna")
    for role in ("anna", "anna2"):
        refused = await desks.of(role=role).send("POST", f"{SETS}/{set_id}:approve")
        assert refused.status_code == 403, role
        assert "another person approves" in refused.json()["detail"]
    unknown = await desks.of(role="super_admin").send("POST", f"{SETS}/{set_id}:approve")
    assert unknown.status_code == 403
    assert "aurum keys create --owner" in unknown.json()["detail"]
    for role in ("user", "trader", "dora"):
        missing = await desks.of(role=role).send("POST", f"{SETS}/{set_id}:approve")
        assert (missing.status_code, missing.json()["scope"]) == (403, "curves:approve")
    await data(desks.of(role="bert"), "POST", f"{SETS}/{set_id}:approve")
    without = await submitted(desks, "trader")
    refused = await desks.of(role="bert").send("POST", f"{SETS}/{without}:approve")
    assert refused.status_code == 409
    assert "names no person" in refused.json()["detail"]


async def test_a_key_that_gets_an_owner_approves_from_then_on_and_never_as_another_person(desks: Desks) -> None:
    root, bert = desks.of(role="super_admin"), desks.of(role="bert")
    keys = "/v2/admin/keys"
    made = await data(root, "POST", keys, {"name": "desk", "roles": ["approver"]}, 201)
    emma = Desk(desks.served, made["key"])
    set_id = await new_set(emma)
    await data(emma, "POST", f"{SETS}/{set_id}:submit")
    assert (await data(root, "PUT", f"{keys}/{made['key_id']}/owner", {"owner": "Emma"}))["owner"] == "Emma"
    await desks.served.state["services"].feed.catch_up()
    for approver in (bert, emma):
        refused = await approver.send("POST", f"{SETS}/{set_id}:approve")
        assert (refused.status_code, "names no person" in refused.json()["detail"]) == (409, True)
    await data(emma, "POST", f"{SETS}/{set_id}:reopen", {"reason": "submitted before the key had an owner"})
    await data(emma, "POST", f"{SETS}/{set_id}:submit")
    changed = await root.send("PUT", f"{keys}/{made['key_id']}/owner", json={"owner": "Bert"})
    assert (changed.status_code, changed.json()["owner"]) == (409, "Emma")
    refused = await emma.send("POST", f"{SETS}/{set_id}:approve")
    assert (refused.status_code, refused.json()["person"]) == (403, "owner:Emma")
    assert (await data(bert, "POST", f"{SETS}/{set_id}:approve"))["steps"][-1]["person"] == "owner:bert"
    other = await submitted(desks)
    assert (await data(emma, "POST", f"{SETS}/{other}:approve"))["steps"][-1]["person"] == "owner:Emma"


async def test_who_approves_rejects_with_a_reason(desks: Desks) -> None:
    carl, bert = desks.of(role="carl"), desks.of(role="bert")
    set_id = await submitted(desks, "carl")
    path = f"{SETS}/{set_id}:reject"
    missing = await carl.send("POST", path, json={"reason": "no"})
    assert (missing.status_code, missing.json()["scope"]) == (403, "curves:approve")
    for body in ({}, {"reason": " "}):
        refused = await bert.send("POST", path, json=body)
        assert (refused.status_code, fields(refused)) == (422, ["reason"])
    rejected = await data(bert, "POST", path, {"reason": "Jan is too high", "version": 2})
    assert (rejected["state"], rejected["version"], rejected["pinned_at"]) == ("draft", 3, None)
    step = rejected["steps"][-1]
    assert (step["step"], step["person"], step["reason"]) == ("reject", "owner:bert", "Jan is too high")
    assert (await bert.send("POST", path, json={"reason": "again"})).status_code == 409


async def test_an_outdated_version_is_a_conflict_that_names_the_present_one(desks: Desks) -> None:
    anna, bert = desks.of(role="anna"), desks.of(role="bert")
    set_id = await new_set(anna)
    await data(anna, "POST", f"{SETS}/{set_id}/overrides", OVERRIDE, 201)
    why = {"reason": "again"}
    changes: list[tuple[Desk, str, str, dict[str, Any]]] = [
        (anna, "POST", "/overrides", OVERRIDE),
        (anna, "DELETE", f"/overrides?curve={BASE}&period=Jan-25", {}),
        (anna, "POST", ":submit", {}),
        (bert, "POST", ":reject", why),
        (anna, "POST", ":submit", {}),
        (bert, "POST", ":approve", {}),
        (anna, "POST", ":close", {}),
        (anna, "POST", ":reopen", why),
    ]

    async def send(change: tuple[Desk, str, str, dict[str, Any]], version: int) -> httpx.Response:
        desk, method, path, body = change
        if method == "DELETE":
            return await desk.send(method, f"{SETS}/{set_id}{path}&version={version}")
        return await desk.send(method, f"{SETS}/{set_id}{path}", json=body | {"version": version})

    for version, change in enumerate(changes, 2):
        for outdated in (version - 1, version + 1):
            refused = await send(change, outdated)
            assert (refused.status_code, refused.json()["version"]) == (409, version), (change, refused.text)
            assert f"has version {version}, not {outdated}: read it again" in refused.json()["detail"]
        assert (await send(change, version)).status_code < 300, change


async def test_if_match_refuses_a_set_that_changed_and_quotes_that_were_corrected(
    desks: Desks, postgres_store: PostgresStore
) -> None:
    anna, bert = desks.of(role="anna"), desks.of(role="bert")
    set_id = await new_set(anna)
    path = f"{SETS}/{set_id}"

    async def tag() -> str:
        return (await anna.get(path)).headers["etag"]

    async def status(desk: Desk, action: str, if_match: str, body: dict[str, Any] | None = None) -> int:
        return (await desk.send("POST", f"{path}{action}", json=body or {}, headers={"if-match": if_match})).status_code

    first = await tag()
    assert await status(anna, "/overrides", first, OVERRIDE) == 201
    assert await status(anna, ":submit", first) == 412
    assert await status(anna, ":submit", f'"other", {await tag()}') == 200
    read = await tag()
    await postgres_store.loader.load(file_of({BASE: {MONDAY: {JAN: 55.0}}}, known_at=SystemClock().now()))
    await desks.served.state["services"].feed.catch_up()
    refused = await bert.send("POST", f"{path}:approve", headers={"if-match": read})
    assert (refused.status_code, "read the set again" in refused.json()["detail"]) == (412, True)
    assert (await data(bert, "GET", path))["state"] == "submitted"
    compressed = (await anna.send("GET", path, headers={"accept-encoding": "gzip"})).headers["etag"]
    assert await status(bert, ":approve", compressed) == 200
    assert await status(anna, ":close", "*") == 200
    stale = {"if-match": read}
    gone = await anna.send("DELETE", f"{path}/overrides?curve={BASE}&period=Jan-25", headers=stale)
    assert gone.status_code == 412


async def test_official_values_in_another_unit(desks: Desks) -> None:
    anna, bert = desks.of(role="anna"), desks.of(role="bert")
    set_id = await submitted(desks)
    await data(bert, "POST", f"{SETS}/{set_id}:approve")
    await data(anna, "POST", f"{SETS}/{set_id}:close")
    path = f"{SETS}/{set_id}/values"
    own = await anna.rows(path)
    rows = await anna.rows(path, unit="EUR/kWh")
    assert [row["value"] for row in rows] == pytest.approx([row["value"] / 1_000 for row in own])
    assert {(row["unit"], row["currency"]) for row in rows} == {("EUR/kWh", "EUR")}
    parquet = pl.read_parquet(io.BytesIO((await anna.get(path, unit="EUR/kWh", format="parquet")).content))
    assert parquet["quoted"].to_list() == [row["quoted"] for row in rows]
    tags = {(await anna.get(path, **more)).headers["etag"] for more in ({}, {"unit": "EUR/kWh"}, {"unit": "EUR/MWh"})}
    assert len(tags) == 3
    for more, field in (({"unit": "EUR/bbl"}, "unit"), ({"currency": "XXX"}, "currency"), ({"unit": "what"}, "unit")):
        refused = await anna.get(path, **more)
        assert (refused.status_code, fields(refused)) == (422, [field]), refused.text


async def test_another_tenant_knows_none_of_it(desks: Desks) -> None:
    set_id = await submitted(desks)
    tag = (await desks.of(role="anna").get(f"{SETS}/{set_id}")).headers["etag"]
    bolt = desks.of("bolt", "bert")
    assert (await bolt.rows(SETS)) == []
    for path in ("", "/values", "/checks"):
        answer = await bolt.send("GET", f"{SETS}/{set_id}{path}", headers={"if-none-match": tag})
        assert answer.status_code == 404, path
    requests: list[tuple[str, str, dict[str, Any] | None]] = [
        ("POST", "/overrides", OVERRIDE),
        ("DELETE", f"/overrides?curve={BASE}&period=Jan-25", None),
        ("POST", ":submit", {}),
        ("POST", ":approve", {}),
        ("POST", ":reject", {"reason": "mine"}),
        ("POST", ":close", {}),
        ("POST", ":reopen", {"reason": "mine"}),
        ("POST", ":compare", {"venue": "DESK", "tolerance": {"default": {"absolute": 1.0}}}),
    ]
    for method, path, body in requests:
        assert (await bolt.send(method, f"{SETS}/{set_id}{path}", json=body)).status_code == 404, path


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": None}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": "   "}, "reason"),
        ({"reason": "x" * 1001}, "reason"),
        ({"settle": "95"}, "settle"),
        ({"settle": None}, "settle"),
        ({"settle": 1e12}, "settle"),
        ({"settle": True}, "settle"),
        ({"bid": 3.0, "ask": 2.0}, "bid"),
        ({"curve": FRENCH}, "curve"),
        ({"period": "Smarch-25"}, "period"),
        ({"expires": "2024-10-13"}, "expires"),
        ({"expires": "tomorrow"}, "expires"),
        ({"version": 0}, "version"),
        ({"price": 3.0}, "price"),
    ],
)
async def test_a_bad_override_names_its_field(desks: Desks, body: dict[str, Any], field: str) -> None:
    desk = desks.of(role="carl")
    set_id = await new_set(desk)
    sent = {name: value for name, value in (OVERRIDE | body).items() if value is not None}
    answer = await desk.send("POST", f"{SETS}/{set_id}/overrides", json=sent)
    assert answer.status_code == 422, answer.text
    assert fields(answer)[0].split(".")[-1] == field


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"curves": []}, "curves"),
        ({"curves": ["power:NO:base:NONE"]}, "curves"),
        ({"curves": ["gas:*"]}, "curves"),
        ({"trade_date": "2024-10-13"}, "trade_date"),
        ({"trade_date": "soon"}, "trade_date"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"as_of": "soon"}, "as_of"),
        ({"owner": "me"}, "owner"),
    ],
)
async def test_a_bad_set_names_its_field(desks: Desks, body: dict[str, Any], field: str) -> None:
    answer = await desks.of(role="carl").send("POST", SETS, json=NEW | body)
    assert answer.status_code == 422, answer.text
    assert fields(answer)[0].split(".")[0] == field


async def test_overrides_with_an_expiry_are_copied_from_another_set(desks: Desks) -> None:
    desk = desks.of(role="carl")
    one = await new_set(desk)
    await data(desk, "POST", f"{SETS}/{one}/overrides", OVERRIDE | {"expires": "2024-10-18"}, 201)
    await data(desk, "POST", f"{SETS}/{one}/overrides", OVERRIDE | {"period": "Feb-25"}, 201)
    copy = await data(desk, "GET", f"{SETS}/{await new_set(desk, overrides_of=one)}")
    assert [override["expires"] for override in copy["overrides"]] == ["2024-10-18"]
    refused = await desks.of("bolt", "carl").send("POST", SETS, json=NEW | {"overrides_of": one})
    assert (refused.status_code, fields(refused)) == (422, ["overrides_of"])


async def test_missing_curves_block_a_submit(desks: Desks) -> None:
    desk = desks.of(role="carl")
    set_id = await new_set(desk, curves=[BASE, FRENCH])
    refused = await desk.send("POST", f"{SETS}/{set_id}:submit", json={})
    assert (refused.status_code, refused.json()["missing"]) == (409, [FRENCH])
    await data(desk, "POST", f"{SETS}/{set_id}:submit", {"allow_missing": True})


async def test_an_official_set_keeps_its_values_and_shows_what_was_corrected(
    desks: Desks, postgres_store: PostgresStore
) -> None:
    anna, bert = desks.of(role="anna"), desks.of(role="bert")
    set_id = await submitted(desks)
    await data(bert, "POST", f"{SETS}/{set_id}:approve")
    before = await data(anna, "POST", f"{SETS}/{set_id}:close")
    first = await anna.get(f"{SETS}/{set_id}")
    assert first.json()["data"]["changed_since"] == []
    again = await anna.send("GET", f"{SETS}/{set_id}", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    corrected = SystemClock().now()
    await postgres_store.loader.load(file_of({BASE: {MONDAY: {JAN: 55.0}}}, known_at=corrected))

    async def changed() -> list[dict[str, Any]]:
        return (await data(anna, "GET", f"{SETS}/{set_id}"))["changed_since"]

    await desks.served.state["services"].feed.catch_up()
    (one,) = await changed()
    assert (one["curve"], one["period"], one["pinned"], one["current"]) == (BASE, JANUARY, 102.0, 55.0)
    assert (one["source"], one["pinned_bid"], one["current_bid"]) == ("quote", 101.5, 54.5)
    document = await data(anna, "GET", f"{SETS}/{set_id}")
    assert document["values"] == first.json()["data"]["values"]
    assert (document["set_id"], document["version"]) == (set_id, before["version"])
    draft = await data(anna, "POST", f"{SETS}/{set_id}:reopen", {"reason": "corrected settlement"})
    assert (draft["supersedes"], draft["state"]) == (set_id, "draft")
    for action, desk in (("submit", anna), ("approve", bert), ("close", anna)):
        await data(desk, "POST", f"{SETS}/{draft['set_id']}:{action}")
    assert (await data(anna, "GET", f"{SETS}/{set_id}"))["superseded_by"] == draft["set_id"]


async def test_a_correction_of_a_mark_made_of_bid_and_ask_is_shown(desks: Desks, postgres_store: PostgresStore) -> None:
    await postgres_store.loader.load(without_settlement(file_of({FRENCH: {MONDAY: {JAN: 80.0}}})))
    set_id = await submitted(desks, curves=[FRENCH])
    corrected = file_of({FRENCH: {MONDAY: {JAN: 82.0}}}, known_at=SystemClock().now())
    await postgres_store.loader.load(without_settlement(corrected))
    await desks.served.state["services"].feed.catch_up()
    shown = await data(desks.of(role="anna"), "GET", f"{SETS}/{set_id}")
    (mark,), (changed,) = shown["values"], shown["changed_since"]
    assert (mark["source"], mark["value"]) == ("mid", 80.0)
    assert (changed["source"], changed["pinned"], changed["current"]) == ("mid", None, None)
    assert (changed["pinned_bid"], changed["current_bid"]) == (79.5, 81.5)


async def test_the_file_of_the_morning_in_every_format(desks: Desks, postgres_store: PostgresStore, tmp_path: Path) -> None:
    desk, second = desks.of(role="carl"), datetime(2024, 10, 14, 16, 30, 0, 250_000, UTC)
    await postgres_store.loader.load(file_of({PEAK: {MONDAY: {JAN: 121.1}}}, known_at=second))
    set_id = await new_set(desk)
    await data(desk, "POST", f"{SETS}/{set_id}/overrides", OVERRIDE | {"period": "Q3-25"}, 201)
    rows = await desk.rows(f"{SETS}/{set_id}/values")  # type: ignore[arg-type]
    assert len(rows) == 11
    (added,) = (row for row in rows if row["period"]["label"] == "Q3-25")
    assert (added["value"], added["quoted"], added["known_at"], added["source"]) == (95.5, None, None, "override")
    assert added["flags"] == ["override", "not_quoted"]
    csv = await desk.get(f"{SETS}/{set_id}/values", format="csv")
    read = pl.read_csv(io.BytesIO(csv.content))
    assert read.columns[:3] == ["curve", "period", "kind"]
    assert (read["value"].to_list(), read.height) == ([row["value"] for row in rows], 11)
    arrow = pl.read_ipc_stream(io.BytesIO((await desk.get(f"{SETS}/{set_id}/values", format="arrow")).content))
    parquet = pl.read_parquet(io.BytesIO((await desk.get(f"{SETS}/{set_id}/values", format="parquet")).content))
    for frame in (arrow, parquet):
        assert frame["value"].to_list() == read["value"].to_list()
        assert frame["known_at"].null_count() == 1
    columns = (await desk.get(f"{SETS}/{set_id}/values", layout="columns")).json()
    assert columns["data"]["value"] == read["value"].to_list()
    assert columns["meta"]["set_id"] == set_id
    lines = await desk.get(f"{SETS}/{set_id}/values", format="ndjson")
    assert len(lines.text.splitlines()) == 11
    assert lines.headers["cache-control"].startswith("private")
    store = postgres_store
    reading = CurveReading(store.curves, Reading(store.catalog, store.reader, store.partials, loaded=store.loaded), "acme")
    plan = await plan_set(reading, store.curve_sets, set_id, now=SystemClock().now())
    marks = (await read_set(reading, store.curve_sets, plan)).frame
    for name in ("csv", "parquet", "arrow"):
        write_marks(marks, tmp_path / f"marks.{name}")
    assert (tmp_path / "marks.csv").read_text() == csv.text, "the command's export is the answer of the API"
    assert pl.read_parquet(tmp_path / "marks.parquet").columns == parquet.columns
    assert pl.read_ipc_stream(tmp_path / "marks.arrow").columns == arrow.columns


async def test_a_list_has_filters_and_pages(desks: Desks) -> None:
    desk = desks.of(role="carl")
    ids = [await new_set(desk, name=f"set {number}") for number in range(3)]
    await data(desk, "POST", f"{SETS}/{ids[0]}:submit")
    assert [one["set_id"] for one in await desk.rows(SETS)] == ids[::-1]
    assert [one["set_id"] for one in await desk.rows(SETS, state="submitted")] == ids[:1]
    assert [one["set_id"] for one in await desk.rows(SETS, name="set 1")] == [ids[1]]
    assert await desk.rows(SETS, trade_date="2024-10-11") == []
    first = (await desk.get(SETS, limit="2")).json()
    rest = (await desk.get(SETS, limit="2", cursor=first["meta"]["next_cursor"])).json()
    assert [one["set_id"] for one in first["data"] + rest["data"]] == ids[::-1]
    assert rest["meta"]["next_cursor"] is None


async def test_an_override_is_deleted_by_curve_and_period(desks: Desks) -> None:
    desk = desks.of(role="carl")
    set_id = await new_set(desk)
    await data(desk, "POST", f"{SETS}/{set_id}/overrides", OVERRIDE, 201)
    path = f"{SETS}/{set_id}/overrides?curve={BASE}&period=Jan-25"
    assert (await desk.send("DELETE", f"{path}&version=1")).status_code == 409
    assert (await data(desk, "DELETE", f"{path}&version=2"))["version"] == 3
    assert (await desk.send("DELETE", path)).status_code == 404


async def test_checks_and_a_comparison(desks: Desks) -> None:
    desk = desks.of(role="carl")
    set_id = await new_set(desk, curves=[BASE])
    await data(desk, "POST", f"{SETS}/{set_id}/overrides", OVERRIDE | {"settle": 9_995.0}, 201)
    checks = await desk.rows(f"{SETS}/{set_id}/checks")
    assert [(one["check"], one["before"], round(one["ratio"], 9)) for one in checks] == [("unit_jump", 99.95, 100.0)]
    assert checks[0]["period"] == JANUARY
    other = BASE.rpartition(":")[0] + ":BROKER"
    terms = {"title": "A broker's", "unit": "EUR/MWh", "tick": 0.01, "calendar": "eu_power", "seasons": "europe"}
    await data(desk, "POST", "/v2/products", {"key": other} | terms, 201)
    quote = {"trade_date": str(MONDAY), "product": other, "period": "Jan-25", "settle": 112.0}
    await data(desk, "POST", "/v2/curves/quotes", {"data": [quote]}, 200)
    body = {"against": {BASE: other}, "tolerance": {"default": {"absolute": 10.5}, "curves": {"gas:*": {"relative": 0.1}}}}
    compared = (await desk.send("POST", f"{SETS}/{set_id}:compare", json=body)).json()
    assert [(one["period"]["label"], one["other"], one["tolerance"]) for one in compared["data"]] == [("Jan-25", 112.0, 10.5)]
    assert (compared["meta"]["compared"], compared["meta"]["breaches"]) == (1, 1)
    labels = [one["period"]["label"] for one in compared["meta"]["not_compared"]]
    assert (labels, compared["meta"]["not_independent"]) == (["Q1-25", "Feb-25", "Mar-25", "Q2-25"], [])
    derived = {"key": "power:XA:base:TWICE", "expression": {"op": "scale", "curve": BASE, "by": 2}}
    await data(desk, "POST", "/v2/curves/derived", derived, 201)
    twice = body | {"against": {BASE: derived["key"]}}
    dependent = (await desk.send("POST", f"{SETS}/{set_id}:compare", json=twice)).json()["meta"]["not_independent"]
    assert dependent == [{"curve": BASE, "other_curve": derived["key"], "reason": f"{derived['key']} is derived from {BASE}"}]
    of_peak = (await desk.send("POST", f"{SETS}/{set_id}:compare", json=body | {"against": {BASE: PEAK}})).json()
    assert [one["reason"] for one in of_peak["meta"]["not_compared"]] == [
        "it delivers by another block: PEAK, and not all hours"
    ]
    for change, field in (
        ({"against": {PEAK: BASE}}, "against"),
        ({"against": {BASE: "power:NO:base:NONE"}}, "against"),
        ({"against": {BASE: BASE}}, "against"),
        ({"against": {}}, "against"),
        ({"tolerance": {}}, "tolerance"),
        ({"tolerance": {"default": {"absolute": -1.0}}}, "tolerance"),
    ):
        answer = await desk.send("POST", f"{SETS}/{set_id}:compare", json=body | change)
        assert answer.status_code == 422, change
        assert fields(answer)[0].split(".")[0] == field


async def test_a_caller_of_an_open_service_without_a_key_is_not_a_person_of_an_approval(tmp_path: Path) -> None:
    store = MemoryStore(SystemClock())
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.curve_reference.put_product(product(BASE), tenant=None)
    await store.loader.load(file_of({BASE: {MONDAY: {JAN: 100.0, Q2: 80.0}}}))
    settings = Settings(access=AccessSettings(mode="open"), data_dir=tmp_path)
    async with serving(settings, InMemory(store)) as served:
        keys = {owner: await key_of(served, owner) for owner in ("Anna", "Bert")}

        async def step(set_id: str, action: str, owner: str | None = None) -> httpx.Response:
            return await served.client.post(f"{SETS}/{set_id}:{action}", headers=keys[owner] if owner else None)

        of_anna, of_anyone = [(await served.client.post(SETS, json=NEW)).json()["data"]["set_id"] for _ in range(2)]
        assert (await step(of_anna, "submit", "Anna")).status_code == 200
        assert (await step(of_anyone, "submit")).status_code == 200
        for set_id in (of_anna, of_anyone):
            refused = await step(set_id, "approve")
            assert (refused.status_code, refused.json()["subject"]) == (403, "local")
            assert "a caller who sends no key or token to an open service may be anyone" in refused.json()["detail"]
        assert (await step(of_anna, "approve", "Anna")).status_code == 403
        unknown = await step(of_anyone, "approve", "Bert")
        assert (unknown.status_code, "reopen it and submit it with the key" in unknown.json()["detail"]) == (409, True)
        assert (await step(of_anna, "approve", "Bert")).status_code == 200


async def key_of(served: Served, owner: str) -> dict[str, str]:
    made = await served.client.post("/v2/admin/keys", json={"name": "marks", "roles": ["approver"], "owner": owner})
    return {"authorization": f"Bearer {made.json()['data']['key']}"}
