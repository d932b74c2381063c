"""The morning of a desk by the command line and HTTP alone: load, look, derive, mark, approve, export; then a correction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import Instance, answered, aurum, start_up

pytestmark = pytest.mark.e2e

CURVE, NEAR, DESK = "power:DE:base:EEX", "power:DE:base:NEAR", "desk"
HEADER = "Identifier;TimeStamp;Begin;End;Open;High;Low;Close;Settlement;Price;ValidationStatus;ChangeComment\n"
MONTHS = {"2024-11-01": "2024-12-01", "2024-12-01": "2025-01-01", "2025-01-01": "2025-02-01", "2025-02-01": "2025-03-01"}
FRIDAY, MONDAY = "2024-10-11", "2024-10-14"
PRICES = {FRIDAY: (80.0, 82.5, 90.0, 91.0), MONDAY: (82.0, 83.5, 93.0, 90.5)}
CORRECTED = (82.0, 83.5, 94.0, 90.5)
_TRIES = 600


@dataclass
class Person:
    """A person of the desk, with a client of the running service."""

    client: httpx.Client

    def get(self, path: str, **params: str) -> httpx.Response:
        return answered(lambda: self.client.get(path, params=params))

    def data(self, path: str, **params: str) -> Any:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        return answered(lambda: self.client.post(path, json={} if body is None else body))


@dataclass
class Desk:
    """A running service that needs keys. ``anna``, ``again``: two keys of one person; ``bert``: another one, who approves."""

    service: Instance
    anna: Person
    again: Person
    bert: Person


def settlements(path: Path, days: Mapping[str, tuple[float, ...]]) -> Path:
    """Write invented settlements of months in the layout of the exchange."""
    lines: list[str] = []
    for day, prices in days.items():
        for (first, end), price in zip(MONTHS.items(), prices, strict=True):
            stamps = ";".join(f"{one}T00:00:00.000{_offset(one)}" for one in (day, first, end))
            lines.append(f"EEX_POWER_FUT_DE_BASE_M;{stamps};;;;;{price:.2f};;UNVALIDATED;\n".replace(".00;;", ",00;;"))
    path.write_text((HEADER + "".join(lines)).replace(".50;;", ",50;;"))
    return path


def _offset(day: str) -> str:
    return "+0200" if day < "2024-10-27" else "+0100"


def run(folder: Path, *arguments: str | Path) -> str:
    done = aurum(folder, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(shared_data_dir: Path) -> Path:
    """A store with two sessions, a desk and its keys."""
    path = settlements(shared_data_dir / "EEX_POWER_FUT_DE_BASE_M_2024.csv", PRICES)
    run(shared_data_dir, "db", "migrate")
    run(shared_data_dir, "ingest", path)
    run(shared_data_dir, "tenants", "create", DESK, "The desk", "--plan", "enterprise")
    return shared_data_dir


@pytest.fixture(scope="module")
def desk(folder: Path) -> Iterator[Desk]:
    def key(name: str, role: str, owner: str) -> str:
        return run(folder, "keys", "create", name, "--tenant", DESK, "--role", role, "--owner", owner).strip()

    keys = (key("laptop", "trader", "Anna"), key("server", "approver", "Anna"), key("control", "approver", "Bert"))
    service = start_up(folder, "--no-sample", AURUM_ACCESS__MODE="required")
    clients = [httpx.Client(base_url=service.url, headers={"X-API-Key": one}, timeout=120, trust_env=False) for one in keys]
    yield Desk(service, *map(Person, clients))
    for client in clients:
        client.close()
    service.stop()


def until(answer: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
    """Return an answer once it holds: the worker of the service does its part meanwhile."""
    for _ in range(_TRIES):
        last = answer()
        if holds(last):
            return last
    raise AssertionError(last)


def test_what_moved_and_why_is_seen_on_the_command_line(data_dir: Path) -> None:
    folder = data_dir
    run(folder, "ingest", settlements(folder / "EEX_POWER_FUT_DE_BASE_M_2024.csv", PRICES))
    moved = json.loads(run(folder, "curves", "diff", CURVE, "--json"))["data"]
    assert [(one["period"]["label"], one["move"]) for one in moved[:2]] == [("Jan-25", 3.0), ("Nov-24", 2.0)]
    explained = json.loads(run(folder, "curves", "explain", CURVE, "--json"))["data"]
    assert [(one["bucket"], one["quote_move"], one["total"]) for one in explained[:2]] == [("M+1", 2.0, 2.0), ("M+2", 1.0, 1.0)]
    assert "4 quotes, 4 independent" in run(folder, "curves", "build", CURVE)
    place = run(folder, "lineage", CURVE, "--period", "Jan-25")
    assert "line 8, column Settlement (9), verified" in " ".join(place.split())
    picture = folder / "curve.png"
    run(folder, "curves", "plot", CURVE, "--vs", "previous", "--out", picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_morning_ends_with_official_marks_and_a_correction_changes_none_of_them(desk: Desk, folder: Path) -> None:
    anna, bert = desk.anna, desk.bert
    legs = {"power": {"curve": CURVE}, "gas": {"value": 40.0, "unit": "EUR/MWh"}}
    body = {"template": "spark", "legs": legs, "periods": ["Jan-25"], "parameters": {"efficiency": 0.5}}
    spread = anna.post("/v2/curves/spread", body)
    assert spread.status_code == 200, spread.text
    assert spread.json()["data"][0]["value"] == pytest.approx(93.0 - 80.0)
    built = anna.post("/v2/curves/build", {"curve": CURVE, "trade_date": MONDAY, "output": ["curve", "report"]})
    assert built.status_code == 200, built.text
    derived = anna.post("/v2/curves/derived", {"key": NEAR, "expression": {"op": "shift", "curve": CURVE, "by": -0.5}})
    assert (derived.status_code, derived.json()["data"]["state"]) == (201, "fresh"), derived.text
    derived_id = derived.json()["data"]["derived_id"]
    before = derived.json()["data"]["built_at"]

    made = anna.post("/v2/curves/sets", {"name": "close", "trade_date": MONDAY, "curves": [CURVE, NEAR]})
    assert made.status_code == 201, made.text
    marks = f"/v2/curves/sets/{made.json()['data']['set_id']}"
    override = {"curve": CURVE, "period": "Feb-25", "settle": 90.75}
    refused = anna.post(f"{marks}/overrides", override | {"reason": " "})
    assert (refused.status_code, "reason" in refused.text) == (422, True)
    assert anna.post(f"{marks}/overrides", override | {"reason": "runs after the close"}).status_code == 201
    assert anna.post(f"{marks}:submit").status_code == 200
    assert anna.post(f"{marks}:approve").status_code == 403, "a trader approves nothing"
    assert desk.again.post(f"{marks}:approve").status_code == 403, "two keys of one person"
    assert bert.post(f"{marks}:approve").status_code == 200
    assert bert.post(f"{marks}:close").status_code == 200
    official = bert.get(f"{marks}/values", format="csv")
    assert official.headers["content-type"].startswith("text/csv")
    picture = anna.get(f"/v2/curves/{CURVE}/quotes", trade_date=MONDAY, vs="previous", format="svg")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/svg+xml")

    corrected = settlements(folder / "EEX_POWER_FUT_DE_BASE_M_202410.csv", {MONDAY: CORRECTED})
    assert "1 revised" in run(folder, "ingest", corrected, "--known-at", "now")
    state = until(
        lambda: anna.data(f"/v2/curves/derived/{derived_id}"),
        lambda one: one["state"] == "fresh" and one["built_at"] != before,
    )
    assert state["error"] is None
    near = {"trade_date": MONDAY, "fields": "settle"}
    assert _settles(anna, NEAR, **near) == [81.5, 83.0, 93.5, 90.0]
    assert _settles(anna, CURVE, **near, as_of=before) == list(PRICES[MONDAY])
    changed = anna.data(marks)
    assert changed["state"] == "official"
    assert bert.get(f"{marks}/values", format="csv").content == official.content, "what is official stays"
    again = anna.post("/v2/curves/build", {"receipt": built.json()["receipt"], "output": ["curve", "report"]})
    assert again.status_code == 200, again.text
    assert again.json()["curve"] == built.json()["curve"], "an old receipt answers what it answered"
    explained = anna.data("/v2/curves/explain", curve=CURVE, a=MONDAY, b=MONDAY, as_of_a=before)
    assert {one["bucket"]: one["correction"] for one in explained}["M+3"] == 1.0
    assert anna.get(f"/v2/curves/sets/{'0' * 32}").status_code == 404


def _settles(person: Person, key: str, **params: str) -> list[float]:
    return [row["settle"] for row in person.data(f"/v2/curves/{key}/quotes", **params)]
