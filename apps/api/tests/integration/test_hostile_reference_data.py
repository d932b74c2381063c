"""Wrong and hostile reference data over HTTP: each is refused and names what is wrong; the audit log has before and after."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from api_curves import Desk, Desks, serving_desks

from aurum.core.calendars import default_blocks
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

BLOCK: dict[str, Any] = {"calendar": "entsoe", "name": "NOON", "zone": "Europe/Berlin", "windows": [{"hours": [[12, 13]]}]}
PATH = "/v2/blocks/entsoe/NOON"
MAPPING = {"kind": "area", "scope": "europe", "spelling": "Albion", "target": "GB"}
DAYS = {"name": "desk_days", "title": "Days", "zone": "Europe/Paris", "blocks": "entsoe"}
SESSIONS = {"name": "DESK", "title": "Ours", "first": "2024-01-01", "last": "2024-12-31", "closed": {"2024": "01-01"}}
SEASONS = {"name": "odd", "title": "Odd"}
CYRILLIC_TTF, CYRILLIC_CAL, WIDE_UNIT = "\u0422TF", "\u0421al", "\uff25\uff35\uff32\uff0f\uff2d\uff37\uff48"


@pytest_asyncio.fixture(loop_scope="session")
async def desks(postgres_store: PostgresStore, database_url: str, tmp_path: Path) -> AsyncIterator[Desks]:
    blocks = [block.to_document() for block in default_blocks()]
    await postgres_store.catalog_writer.declare(sources=[], datasets=[], blocks=blocks)
    async with serving_desks(postgres_store, database_url, tmp_path, enable_v1=True) as running:
        yield running


@pytest.fixture
def operator(desks: Desks) -> Desk:
    return desks.of("acme", "super_admin")


def named(answer: Any) -> set[str]:
    """Return the members that an answer names, in errors without their place in the body or as facts of a conflict."""
    document = answer.json()
    fields = {part for one in document.get("errors", []) for part in one["field"].split(".")}
    facts = document.keys() - {"type", "title", "status", "detail", "instance", "request_id"}
    return fields | facts | {document.get("field", "")}


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"zone": "Europe/Atlantis"}, 422, "zone"),
        ({"zone": "../../etc/passwd"}, 422, "zone"),
        ({"zone": ""}, 422, "zone"),
        ({"windows": [{"hours": [[1, 25]]}]}, 422, "hours"),
        ({"windows": [{"hours": [[0, 8]]}]}, 422, "hours"),
        ({"windows": [{"hours": [[8.0, 9]]}]}, 422, "hours"),
        ({"windows": [{"hours": [["8", 9]]}]}, 422, "hours"),
        ({"windows": [{"hours": [[True, 9]]}]}, 422, "hours"),
        ({"windows": [{"hours": [[8]]}]}, 422, "hours"),
        ({"windows": [{"hours": []}]}, 422, "hours"),
        ({"windows": [{"days": []}]}, 422, "days"),
        ({"windows": [{"days": None}]}, 422, "days"),
        ({"windows": [{"days": ["holiday"]}]}, 422, "windows"),
        ({"windows": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}], "complement": True}, 422, "windows"),
        ({"windows": [{"hours": [[12, 13]]}] * 101}, 422, "windows"),
        ({"windows": {"hours": [[12, 13]]}}, 422, "windows"),
        ({"windows": None}, 422, "windows"),
        ({"complement": "yes"}, 422, "complement"),
        ({"holidays": "christmas"}, 422, "holidays"),
        ({"name": ""}, 422, "name"),
        ({"name": " "}, 422, "name"),
        ({"name": "PE\u200bAK"}, 422, "name"),
        ({"name": "\u0420EAK"}, 422, "name"),
        ({"name": "\uff30\uff25\uff21\uff2b"}, 422, "name"),
        ({"name": "p e-a_k"}, 422, "name"),
        ({"name": "PEAK\n"}, 422, "name"),
        ({"aliases": ["peak"]}, 422, "aliases"),
        ({"aliases": ["\u0420eak"]}, 422, "aliases"),
        ({"aliases": [None]}, 422, "aliases"),
        ({"calendar": "\u0435ntsoe"}, 422, "calendar"),
        ({"version": 1}, 422, "version"),
        ({"name": "PEAK"}, 409, "name"),
    ],
)
async def test_a_wrong_block_is_refused_and_its_member_named(
    operator: Desk, changes: dict[str, Any], status: int, field: str
) -> None:
    refused = await operator.send("POST", "/v2/blocks", json=BLOCK | changes)
    assert (refused.status_code, field in named(refused)) == (status, True), refused.text
    assert (await operator.get(PATH)).status_code == 404


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"title": None}, 422, "title"),
        ({"windows": None}, 422, "windows"),
        ({"windows": [{"days": ["holiday"]}]}, 422, "windows"),
        ({"zone": "Europe/London"}, 422, "zone"),
        ({"aliases": ["PEAK"]}, 422, "aliases"),
        ({"title": "Lunch", "version": 2}, 409, "version"),
        ({"version": 0}, 422, "version"),
        ({"version": "1"}, 422, "version"),
        ({"calendar": "pjm"}, 422, "calendar"),
        ({}, 422, "body"),
    ],
)
async def test_a_wrong_change_of_a_block_is_refused_and_its_member_named(
    operator: Desk, changes: dict[str, Any], status: int, field: str
) -> None:
    assert (await operator.send("POST", "/v2/blocks", json=BLOCK)).status_code == 201
    refused = await operator.send("PATCH", PATH, json=changes)
    assert (refused.status_code, field in named(refused)) == (status, True), refused.text
    assert (await operator.get(PATH)).json()["data"]["version"] == 1


async def test_windows_of_a_block_may_overlap_and_count_once(operator: Desk) -> None:
    windows = [{"days": ["mon"], "hours": [[9, 12]]}, {"days": ["mon", "tue"], "hours": [[11, 13], [12, 12]]}]
    added = await operator.send("POST", "/v2/blocks", json=BLOCK | {"windows": windows})
    assert added.status_code == 201, added.text
    hours = await operator.rows("/v2/catalog/blocks/entsoe/NOON/hours", start="2025-11-03", end="2025-11-06")
    assert [row["hour_ending"] for row in hours] == ["9", "10", "11", "12", "13", "11", "12", "13"]


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"kind": "unit", "scope": "*", "spelling": WIDE_UNIT, "target": "USD/MWh"}, 409, "spelling"),
        ({"kind": "unit", "scope": "*", "spelling": "eur / mwh", "target": "USD/MWh"}, 409, "spelling"),
        ({"kind": "unit", "scope": "*", "spelling": "doubloons", "target": "doubloons"}, 422, "target"),
        ({"kind": "unit", "scope": "europe", "spelling": "doubloons", "target": "EUR/MWh"}, 422, "scope"),
        ({"kind": "quoted_unit", "scope": "RP", "spelling": "gas:NBP", "target": "MWh"}, 422, "target"),
        ({"kind": "quoted_unit", "scope": "RP", "spelling": "gas:NBP", "target": "EUR/MWh"}, 422, "target"),
        ({"kind": "location", "spelling": CYRILLIC_TTF, "target": "NBP"}, 409, "spelling"),
        ({"kind": "location", "spelling": "ttf", "target": "NBP"}, 409, "spelling"),
        ({"kind": "period", "scope": "*", "spelling": CYRILLIC_CAL, "target": "Summer"}, 409, "spelling"),
        ({"kind": "period", "scope": "*", "spelling": "Summer", "target": "Cal"}, 409, "spelling"),
        ({"kind": "fuel", "scope": "nyiso", "spelling": "Hydro", "target": "gas"}, 409, "spelling"),
        ({"kind": "fuel", "scope": "nyiso", "spelling": "Warp", "target": "unmapped"}, 422, "target"),
        ({"kind": "fuel", "scope": "nyiso", "spelling": "Warp", "target": "gas/solar_pv"}, 422, "target"),
        ({"kind": "fuel", "scope": "nowhere", "spelling": "Warp", "target": "gas"}, 422, "scope"),
        ({"kind": "place", "scope": "ercot", "spelling": "HB_NORTH", "target": "Mine"}, 409, "spelling"),
        ({"kind": "place", "scope": "nyiso", "spelling": "61761", "target": "Mine"}, 422, "scope"),
        ({"spelling": "Al\u200bbion"}, 422, "spelling"),
        ({"spelling": "Al\u3164bion"}, 422, "spelling"),
        ({"spelling": "Al\nbion"}, 422, "spelling"),
        ({"spelling": "x" * 201}, 422, "spelling"),
        ({"target": "gb"}, 422, "target"),
        ({"target": "G\u0412"}, 422, "target"),
        ({"version": 1}, 422, "version"),
    ],
)
async def test_a_wrong_mapping_is_refused_and_its_member_named(
    operator: Desk, changes: dict[str, Any], status: int, field: str
) -> None:
    refused = await operator.send("POST", "/v2/mappings", json=MAPPING | changes)
    assert (refused.status_code, field in named(refused)) == (status, True), refused.text
    assert await operator.rows("/v2/mappings") == []


async def test_a_label_with_foreign_letters_is_mapped_to_what_it_looks_like(operator: Desk) -> None:
    added = await operator.send(
        "POST", "/v2/mappings", json=MAPPING | {"kind": "location", "spelling": CYRILLIC_TTF, "target": "TTF"}
    )
    assert (added.status_code, added.json()["data"]["spelling"]) == (201, CYRILLIC_TTF), added.text


async def test_mappings_have_no_chains_and_a_spelling_has_one_meaning(operator: Desk) -> None:
    first = {"spelling": "EUR per MW hour", "target": "EUR/MWh"}
    added = await operator.send("POST", "/v2/units/mappings", json=first)
    assert added.status_code == 201, added.text
    path = f"/v2/units/mappings/{added.json()['data']['id']}"
    for body, status, field in (
        ({"spelling": "Euros", "target": "EUR per MW hour"}, 422, "target"),
        ({"spelling": "eur  PER mw Hour", "target": "USD/MWh"}, 409, "spelling"),
    ):
        refused = await operator.send("POST", "/v2/units/mappings", json=body)
        assert (refused.status_code, field in named(refused)) == (status, True), refused.text
    chained = await operator.send("PATCH", path, json={"target": "EUR per MW hour"})
    assert (chained.status_code, "target" in named(chained)) == (422, True), chained.text
    outdated = await operator.send("PATCH", path, json={"target": "EUR/MWh", "version": 3})
    assert (outdated.status_code, "version" in named(outdated)) == (409, True), outdated.text


@pytest.mark.parametrize(
    ("kind", "document", "field"),
    [
        ("delivery", DAYS | {"zone": "Europe/Atlantis"}, "zone"),
        ("delivery", DAYS | {"blocks": "nowhere"}, "blocks"),
        ("delivery", DAYS | {"day_start": "25:00"}, "day_start"),
        ("delivery", DAYS | {"colour": "red"}, "colour"),
        ("sessions", SESSIONS | {"closed": {"2024": "02-30"}}, "closed"),
        ("sessions", SESSIONS | {"closed": {"2024": "01-06"}}, "closed"),
        ("sessions", SESSIONS | {"closed": {"2025": "01-01"}}, "closed"),
        ("sessions", SESSIONS | {"last": "2023-12-31"}, "last"),
        ("sessions", SESSIONS | {"closed": [["01-01"]]}, "closed"),
        (
            "seasons",
            SEASONS | {"seasons": [{"name": "Win", "first_month": 13, "months": 6}]},
            "first_month",
        ),
    ],
)
async def test_a_wrong_calendar_is_refused_and_its_member_named(
    operator: Desk, kind: str, document: dict[str, Any], field: str
) -> None:
    refused = await operator.send("POST", f"/v2/calendars?kind={kind}", json={"document": document, "owner": "shared"})
    assert (refused.status_code, field in refused.text) == (422, True), refused.text
    assert (await operator.get(f"/v2/calendars/{document['name']}", kind=kind)).status_code == 404


async def test_a_reason_names_its_member_once_and_by_its_path(operator: Desk) -> None:
    terms = {"key": "power:XA:base:MINE", "title": "Mine", "unit": "doubloons", "tick": 0.01, "calendar": "eu_power"}
    for path, body, field, message in (
        ("/v2/blocks", BLOCK | {"windows": [{}, {"hours": [[9, 8]]}]}, "windows.1.hours", "must be [first, last] hour endings"),
        ("/v2/calendars?kind=sessions", {"document": SESSIONS | {"first": "x"}}, "first", "'x' is not a day"),
        ("/v2/products", terms, "unit", "unknown unit 'doubloons'"),
    ):
        refused = await operator.send("POST", path, json=body)
        assert refused.status_code == 422, refused.text
        (error,) = refused.json()["errors"]
        assert (error["field"], error["message"].startswith(message)) == (field, True), error
        assert ", got " not in error["message"]


async def test_a_calendar_is_not_renamed(operator: Desk) -> None:
    path = f"/v2/calendars/{DAYS['name']}"
    assert (await operator.send("POST", "/v2/calendars", json={"document": DAYS})).status_code == 201
    refused = await operator.send("PATCH", path, json={"document": {"name": "other"}})
    assert (refused.status_code, named(refused) >= {"name"}) == (422, True), refused.text
    assert "add a document of another name" in refused.json()["detail"]
    changed = await operator.send("PATCH", path, json={"document": {"name": DAYS["name"], "title": "Days"}})
    assert (changed.status_code, changed.json()["data"]["document"]["title"]) == (200, "Days"), changed.text


async def test_another_tenant_neither_sees_nor_changes_a_calendar_of_a_tenant(desks: Desks) -> None:
    acme, bolt, operator = desks.of("acme"), desks.of("bolt"), desks.of("bolt", "super_admin")
    assert (await acme.send("POST", "/v2/calendars", json={"document": DAYS})).status_code == 201
    path = "/v2/calendars/desk_days"
    for desk in (bolt, operator):
        assert (await desk.get(path)).status_code == 404
        assert (await desk.send("PATCH", path, json={"document": {"title": "Theirs"}})).status_code == 404
        assert (await desk.send("DELETE", path)).status_code == 404
    refused = await acme.send("PATCH", "/v2/calendars/eu_power", json={"document": {"title": "Theirs"}})
    assert refused.status_code == 403, refused.text
    assert (await acme.get(path)).json()["data"]["version"] == 1


async def test_the_audit_log_has_what_was_before_and_after(operator: Desk) -> None:
    added = (await operator.send("POST", "/v2/blocks", json=BLOCK)).json()["data"]
    await operator.send("PATCH", PATH, json={"title": "Lunch", "version": 1})
    await operator.send("DELETE", PATH)
    mapping = (await operator.send("POST", "/v2/mappings", json=MAPPING)).json()["data"]["id"]
    await operator.send("PATCH", f"/v2/mappings/{mapping}", json={"target": "FR"})
    await operator.send("DELETE", f"/v2/mappings/{mapping}")
    sessions = "/v2/calendars/DESK?kind=sessions"
    await operator.send("POST", "/v2/calendars?kind=sessions", json={"document": SESSIONS, "owner": "shared"})
    await operator.send("PATCH", sessions, json={"document": {"title": "Other"}})
    await operator.send("DELETE", sessions)
    entries = (await operator.get("/v2/admin/audit", limit="100")).json()["data"]
    detail = {entry["action"]: entry["detail"] for entry in entries}
    before_and_after = {name: (one.get("before"), one.get("after")) for name, one in detail.items()}
    block = {name: value for name, value in added.items() if name not in ("version", "is_edited", "updated_at")}
    renamed = block | {"title": "Lunch"}
    for action, expected in {
        "block.add": (None, block),
        "block.change": (block, renamed),
        "block.remove": (renamed, None),
        "mapping.add": (None, "GB"),
        "mapping.change": ("GB", "FR"),
        "mapping.remove": ("FR", None),
        "sessions.add": (None, SESSIONS),
        "sessions.change": (SESSIONS, SESSIONS | {"title": "Other"}),
        "sessions.remove": (SESSIONS | {"title": "Other"}, None),
    }.items():
        assert before_and_after[action] == expected, action


async def test_cached_answers_of_every_version_follow_a_block(desks: Desks, operator: Desk) -> None:
    reader = desks.of("bolt")
    assert (await operator.send("POST", "/v2/blocks", json=BLOCK)).status_code == 201
    questions = {
        "/v2/blocks": {},
        "/v2/blocks/entsoe/NOON": {},
        "/v2/catalog/blocks": {"calendar": "entsoe"},
        "/v2/catalog/blocks/entsoe/NOON/hours": {"start": "2025-11-03", "end": "2025-11-04"},
        "/v1/metadata/calendars/entsoe/hours": {"block": "NOON", "date": "2025-11-03"},
        "/v1/metadata/calendars/entsoe/expand": {"block": "NOON", "start": "2025-11-03", "end": "2025-11-04"},
    }
    before = {path: await reader.get(path, **parameters) for path, parameters in questions.items()}
    assert (await operator.send("PATCH", PATH, json={"windows": [{"hours": [[12, 12]]}]})).status_code == 200
    for path, parameters in questions.items():
        tag = before[path].headers["etag"]
        after = await reader.send("GET", path, params=parameters, headers={"if-none-match": tag})
        assert (after.status_code, after.headers["etag"] != tag) == (200, True), path
        assert after.json()["data"] != before[path].json()["data"], path


async def test_a_curve_of_a_block_follows_an_edit_until_it_has_quotes(desks: Desks, operator: Desk) -> None:
    desk, key = desks.of("bolt"), "power:XZ:noon:DESK"
    assert (await operator.send("POST", "/v2/blocks", json=BLOCK)).status_code == 201
    product = {"key": key, "title": "Noon", "unit": "EUR/MWh", "tick": 0.01, "calendar": "eu_power", "calendar_block": "NOON"}
    assert (await desk.send("POST", "/v2/products", json=product)).status_code == 201
    row = {"trade_date": "2024-10-14", "product": key, "period": "Jan-25", "settle": 97.0}
    assert (await operator.send("PATCH", PATH, json={"windows": [{"hours": [[12, 12]]}]})).status_code == 200
    assert (await desk.send("POST", "/v2/curves/quotes", json={"data": [row]})).status_code == 200
    quotes, strips = f"/v2/curves/{key}/quotes", f"/v2/curves/{key}/strips"
    (quote,) = await desk.rows(quotes)
    assert quote["period"]["hours"] == 31
    before = [(await desk.get(quotes)).text, (await desk.get(strips, period="Jan-25")).text]
    refused = await operator.send("PATCH", PATH, json={"windows": [{"hours": [[12, 13]]}]})
    assert (refused.status_code, refused.json()["field"]) == (409, "windows"), refused.text
    assert [(await desk.get(quotes)).text, (await desk.get(strips, period="Jan-25")).text] == before
