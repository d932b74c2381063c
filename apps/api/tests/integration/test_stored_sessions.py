"""An edit of sessions and of holidays after loads over HTTP: completeness and rolls follow, official marks do not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from api_curves import BASE, MONDAY, OPERATOR, PEAK, Desks, file_of, product, serving_desks

from aurum.core.calendars import default_blocks
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

SETS, CALENDARS = "/v2/curves/sets", "/v2/calendars"
ROLLED = "power:XC:base:EXCH"
SEP, OCT = ((date(2024, month, 1), date(2024, month + 1, 1)) for month in (9, 10))
WEDNESDAY, THURSDAY, FRIDAY, NEXT_MONDAY = date(2024, 8, 28), date(2024, 8, 29), date(2024, 8, 30), date(2024, 9, 2)
WINTER = [{"name": "Win", "first_month": 11, "months": 5}]
SESSIONS = {"name": "XEEE", "title": "Ours", "first": "2020-01-01", "last": "2030-12-31"}


@pytest_asyncio.fixture(loop_scope="session")
async def desks(postgres_store: PostgresStore, database_url: str, tmp_path: Path) -> AsyncIterator[Desks]:
    await postgres_store.catalog_writer.declare(
        sources=[], datasets=[], blocks=[block.to_document() for block in default_blocks()]
    )
    async with serving_desks(postgres_store, database_url, tmp_path) as running:
        async with postgres_store.transactions.transaction(by=OPERATOR) as tx:
            await tx.curve_reference.put_product(product(ROLLED), tenant=None)
        front = {day: {SEP: 80.0 + number, OCT: 90.0 + number} for number, day in enumerate((WEDNESDAY, THURSDAY, NEXT_MONDAY))}
        await postgres_store.loader.load(file_of({ROLLED: front}))
        yield running


async def store_sessions(desks: Desks, closed: str) -> None:
    document = SESSIONS | {"closed": {"2024": closed}}
    stored = await desks.of(role="super_admin").send(
        "POST", f"{CALENDARS}?kind=sessions", json={"document": document, "owner": "shared"}
    )
    assert stored.status_code == 201, stored.text


async def official_set(desks: Desks) -> str:
    """Return the id of an official set of marks of base and peak."""
    anna, bert = desks.of(role="anna"), desks.of(role="bert")
    new = {"name": "close", "trade_date": str(MONDAY), "curves": [BASE, PEAK]}
    set_id = (await anna.send("POST", SETS, json=new)).json()["data"]["set_id"]
    for desk, step in ((anna, "submit"), (bert, "approve"), (anna, "close")):
        answer = await desk.send("POST", f"{SETS}/{set_id}:{step}")
        assert answer.status_code == 200, answer.text
    return set_id


async def test_completeness_and_rolls_follow_the_stored_sessions_and_quotes_stay(desks: Desks) -> None:
    reader = desks.of("bolt")
    curve, continuous = f"/v2/curves/{ROLLED}", f"/v2/curves/{ROLLED}/continuous"
    quotes = await reader.get(f"{curve}/quotes", trade_date=str(THURSDAY))
    before = await reader.get(curve)
    assert before.json()["data"]["completeness"]["outside_count"] == 0

    async def rolls() -> list[tuple[str, str]]:
        answer = (await reader.get(continuous, front="M+1", roll="days_before:1")).json()
        return [(one["last"], one["date"]) for one in answer["meta"]["rolls"]]

    assert await rolls() == [(str(THURSDAY), str(NEXT_MONDAY))]
    await store_sessions(desks, closed=f"{THURSDAY:%m-%d} {FRIDAY:%m-%d}")
    after = await reader.send("GET", curve, headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200, "a cached answer does not outlive the edit"
    completeness = after.json()["data"]["completeness"]
    assert (completeness["expected"], completeness["outside"]) == (2, [str(THURSDAY)])
    # Friday is closed now. Thursday has quotes, so that it was traded: it is the last one of August for rolls.
    assert await rolls() == [(str(WEDNESDAY), str(THURSDAY))]
    assert (await reader.get(f"{curve}/quotes", trade_date=str(THURSDAY))).json()["data"] == quotes.json()["data"]


async def test_official_marks_stay_when_sessions_and_the_title_of_a_calendar_change(desks: Desks) -> None:
    anna, admin = desks.of(role="anna"), desks.of(role="super_admin")
    set_id = await official_set(desks)
    path = f"{SETS}/{set_id}"
    before = [(await anna.get(f"{path}/values")).json()["data"], await document(desks, path)]
    await store_sessions(desks, closed=f"{MONDAY:%m-%d}")
    renamed = await admin.send("PATCH", f"{CALENDARS}/eu_power", json={"document": {"title": "Days"}})
    assert renamed.status_code == 200, renamed.text
    assert [(await anna.get(f"{path}/values")).json()["data"], await document(desks, path)] == before
    assert before[1]["changed_since"] == []


async def document(desks: Desks, path: str) -> dict[str, Any]:
    answer = await desks.of(role="anna").get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.mark.parametrize(
    ("path", "changes", "field"),
    [
        ("/v2/blocks/entsoe/PEAK", {"windows": [{"hours": [[1, 8]]}]}, "windows"),
        ("/v2/blocks/entsoe/PEAK", {"windows": [{"days": ["mon"]}]}, "windows"),
        ("/v2/blocks/entsoe/PEAK", {"holidays": "nerc"}, "holidays"),
        (f"{CALENDARS}/eu_power", {"document": {"zone": "Europe/Lisbon"}}, "zone"),
        (f"{CALENDARS}/eu_power", {"document": {"blocks": None}}, "blocks"),
        (
            f"{CALENDARS}/europe?kind=seasons",
            {"document": {"seasons": WINTER}},
            "seasons",
        ),
    ],
)
async def test_hours_and_days_that_official_marks_depend_on_cannot_change(
    desks: Desks, path: str, changes: dict[str, Any], field: str
) -> None:
    refused = await desks.of(role="super_admin").send("PATCH", path, json=changes)
    assert (refused.status_code, refused.json().get("field")) == (409, field), refused.text
