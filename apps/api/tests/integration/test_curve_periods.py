"""Periods of bodies: the label, or the object that an answer has, wherever a body takes a period."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from api_curves import BASE, OPERATOR, OWN, Desk, product, serving_desks

from aurum.common.clock import SystemClock
from aurum.storage.memory import MemoryStore

Q1 = {
    "label": "Q1-25",
    "kind": "quarter",
    "start": "2024-12-31T23:00:00Z",
    "end": "2025-03-31T22:00:00Z",
    "hours": 2159,
}
SAME = (Q1, {"start": "2025-01-01", "end": "2025-04-01"}, {"start": "2025-01-01T00:00:00+01:00", "end": "2025-04-01"})
BUILD, EXPLAIN, SPREAD, QUERY = (f"/v2/curves/{name}" for name in ("build", "explain", "spread", "query"))


@pytest_asyncio.fixture(loop_scope="session")
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = MemoryStore(SystemClock())
    async with serving_desks(store, None, tmp_path) as running:
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.curve_reference.put_product(product(OWN), tenant="acme")
        yield running.of()


def bodies(period: Any) -> dict[str, tuple[str, dict[str, Any]]]:
    """A path and a body for each member that takes a period, by the field of its error."""
    near = {"template": "calendar", "legs": {"near": {"curve": BASE, "period": period}, "far": {"period": "Q2-25"}}}
    basis = {"template": "custom", "legs": {"a": {"curve": BASE}}, "periods": [period]}
    return {
        "positions.0.period": (EXPLAIN, {"positions": [{"curve": BASE, "period": period, "mw": 1}]}),
        "legs.near.period": (SPREAD, near),
        "periods.0": (SPREAD, basis),
        "quotes.0.period": (BUILD, {"curve": BASE, "quotes": [{"period": period, "price": 98.31}], "output": ["report"]}),
        "build periods.0": (BUILD, {"curve": BASE, "periods": [period], "output": ["periods"]}),
        "query periods.0": (QUERY, {"curves": [BASE], "periods": [period]}),
    }


async def content(desk: Desk, path: str, body: dict[str, Any]) -> dict[str, Any]:
    response = await desk.send("POST", path, json=body)
    assert response.status_code == 200, response.text
    answer = response.json()
    # What was asked, and when, is told as it was asked.
    answer.pop("receipt", None)
    return answer


@pytest.mark.parametrize("place", bodies("Q1-25"))
async def test_the_period_of_an_answer_is_taken_in_the_place_of_a_label(desk: Desk, place: str) -> None:
    expected = await content(desk, *bodies("Q1-25")[place])
    for period in SAME:
        assert await content(desk, *bodies(period)[place]) == expected


@pytest.mark.parametrize("place", bodies("Q1-25"))
async def test_a_wrong_period_is_named_with_both_forms(desk: Desk, place: str) -> None:
    field = place.rpartition(" ")[2]
    for wrong in (5, [], {"start": "2025-01-01"}, {"label": "Q1-25"}):
        path, body = bodies(wrong)[place]
        response = await desk.send("POST", path, json=body)
        (error,) = response.json()["errors"]
        assert (response.status_code, error["field"]) == (422, field)
        assert "a label such as Q1-25, or an object with start and end" in error["message"]
    path, body = bodies({"start": "tomorrow", "end": "2025-04-01"})[place]
    response = await desk.send("POST", path, json=body)
    assert [one["field"] for one in response.json()["errors"]] == [f"{field}.start"]
    for wrong in ({"start": "2024-12-31T22:00:00Z", "end": "2025-04-01"}, {"start": "2025-04-01", "end": "2025-01-01"}):
        path, body = bodies(wrong)[place]
        response = await desk.send("POST", path, json=body)
        assert response.status_code == 422, response.text
        assert response.json()["errors"][0]["field"] in (field, field.partition(".")[0], "period")


async def test_an_upload_takes_the_period_of_an_answer(desk: Desk) -> None:
    row = {"trade_date": "2024-10-14", "product": OWN, "settle": 98.0}
    for period, new in (("Q1-25", 1), *((period, 0) for period in SAME)):
        response = await desk.send("POST", "/v2/curves/quotes", json={"data": [row | {"period": period}]})
        assert response.status_code == 200, response.text
        assert response.json()["data"]["new"] == new


async def test_parameters_take_the_instants_of_an_answer(desk: Desk) -> None:
    path = f"/v2/curves/{BASE}/strips"
    named = await desk.rows(path, period="Q1-25")
    assert await desk.rows(path, period=f"{Q1['start']}..{Q1['end']}") == named
    refused = await desk.get(path, period=f"2024-12-31T22:00:00Z..{Q1['end']}")
    assert "not the start of a delivery day of eu_power, which begins at 00:00 Europe/Berlin" in refused.json()["detail"]
