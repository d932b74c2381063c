"""Every parameter with a date or a time refuses the texts that are no form of the stated grammar."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from api_market import NYC

from aurum.api.testing import Served, serving
from aurum.common.flags import FlagDocument
from aurum.common.flags.document import _INSTANT  # pyright: ignore[reportPrivateUsage] - compared with the grammar of core
from aurum.common.settings import ApiSettings, Settings
from aurum.core.markettime import MOMENT_PATTERN

NOT_ACCEPTED = [
    "1762041600",
    "1762041600000",
    "20251102",
    "2025-W44-1",
    "2025-306",
    "2025-11-02T24:00",
    "2025-1-2",
    "2025-11-02 trailing",
    "2025-11-02 14:00:00Z",
    "\u0662\u0660\u0662\u0665-11-02",
    "Today",
    "2025-13-01",
]
each_text = pytest.mark.parametrize("text", NOT_ACCEPTED)
_BY_NAME = {"start", "end"}
"""Parameters of version 1 that take a day or an instant, which no format of JSON schema describes."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def with_v1(settings: Settings) -> AsyncIterator[Served]:
    v1 = settings.model_copy(update={"api": ApiSettings(enable_v1=True)})
    async with serving(v1) as running:
        yield running


def example_of(parameter: dict[str, Any]) -> str:
    if parameter["name"] in ("key", "series"):
        return NYC
    examples = parameter["schema"].get("examples") or [example["value"] for example in parameter.get("examples", {}).values()]
    return str(parameter.get("example") or parameter["schema"].get("example") or examples[0])


def resolved(document: dict[str, Any], parameter: dict[str, Any]) -> dict[str, Any]:
    name = str(parameter.get("$ref", "")).rpartition("/")[2]
    return document["components"]["parameters"][name] if name else parameter


def timed(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield path, name and the required parameters of every GET with a parameter of a date or a time."""
    for path, operations in document["paths"].items():
        if path == "/v2/external/series/{id}/observations":
            continue  # the same reading as of any series; this store has no agency
        parameters = [resolved(document, one) for one in operations.get("get", {}).get("parameters", [])]
        required = {
            one["name"]: one for one in parameters if one.get("required") or one["in"] == "path" or one["name"] == "series"
        }
        for one in parameters:
            if '"format": "date' in json.dumps(one["schema"]) or (path.startswith("/v1/") and one["name"] in _BY_NAME):
                others = {name: example_of(each) for name, each in required.items() if name != one["name"]}
                yield path, one["name"], others


async def ask(client: httpx.AsyncClient, path: str, name: str, text: str, others: dict[str, str]) -> httpx.Response:
    params = {key: value for key, value in others.items() if f"{{{key}}}" not in path}
    for key, value in others.items():
        path = path.replace(f"{{{key}}}", value)
    return await client.get(path, params={**params, name: text})


def test_the_document_has_parameters_with_times(served_document: dict[str, Any]) -> None:
    there = {(path, name) for path, name, _ in timed(served_document)}
    assert {("/v2/observations", "as_of"), ("/v2/series/movers", "day"), ("/v2/admin/ingest", "since")} <= there
    assert len(there) >= 14


@each_text
async def test_every_parameter_of_a_time_refuses_other_texts(with_v1: Served, text: str) -> None:
    document = (await with_v1.client.get("/openapi.json")).json()
    cases = list(timed(document))
    assert any(path.startswith("/v1/") for path, *_ in cases)
    for path, name, others in cases:
        answer = await ask(with_v1.client, path, name, text, others)
        assert answer.status_code == (400 if path.startswith("/v1/") else 422), (path, name, answer.text)
        (error,) = answer.json()["errors"]
        assert error["field"] == name
        assert "YYYY-MM-DD" in error["message"], (path, name, error)
        assert error["value"] == text


async def test_a_movers_question_refuses_other_texts_against_a_day(client: httpx.AsyncClient) -> None:
    for text in NOT_ACCEPTED:
        params = {"measure": "lmp", "market": "NYISO", "day": "2025-11-02", "against": text}
        answer = await client.get("/v2/series/movers", params=params)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "against")


_CURVE = "power:DE:base:EEX"
_SCHEDULE = {"schedule": {"start": "TEXT"}}
BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/v2/admin/keys", {"name": "k", "roles": ["user"], "expires_at": "TEXT"}),
    ("PUT", "/v2/admin/flags/f", _SCHEDULE),
    ("PUT", "/v2/admin/flags/f", {"schedule": {"end": "TEXT"}}),
    *(("POST", "/v2/observations/query", {"series": [NYC], name: "TEXT"}) for name in ("start", "end", "as_of")),
    (
        "POST",
        "/v2/admin/jobs",
        {"name": "fetch.day", "payload": {"source": "nyiso", "dataset": "damlbmp_zone", "day": "TEXT"}},
    ),
    ("POST", "/v2/jobs", {"name": "fetch.day", "payload": {"source": "nyiso", "dataset": "damlbmp_zone", "day": "TEXT"}}),
    ("POST", "/v2/admin/jobs", {"name": "ingest.file", "payload": {"path": "/f.csv", "known_at": "TEXT"}}),
    *(
        ("POST", "/v2/curves/build", {"curve": _CURVE, name: "TEXT"})
        for name in ("trade_date", "from", "to", "as_of", "as_loaded")
    ),
    (
        "POST",
        "/v2/curves/derived",
        {"key": "power:DE:base:D", "expression": {"op": "scale", "curve": _CURVE, "by": 2}, "from": "TEXT"},
    ),
    *(
        ("POST", "/v2/curves/explain", {"positions": [{"curve": _CURVE, "period": "Q1-25", "mw": 1}], name: "TEXT"})
        for name in ("a", "b", "as_of_a", "as_of_b", "as_loaded")
    ),
    *(
        ("POST", "/v2/curves/spread", {"template": "custom", "legs": {"a": {"curve": _CURVE}}, name: "TEXT"})
        for name in ("trade_date", "from", "to", "as_of", "as_loaded")
    ),
    *(
        ("POST", f"/v2/curves/{_CURVE}/shape", {"name": "s", "from": "2024-01-01", "to": "2025-01-01"} | {name: "TEXT"})
        for name in ("from", "to", "as_of")
    ),
    *(
        ("POST", "/v2/curves/sets", {"name": "s", "trade_date": "2024-10-14", "curves": [_CURVE]} | {name: "TEXT"})
        for name in ("trade_date", "as_of")
    ),
]


@pytest.mark.parametrize("text", [*NOT_ACCEPTED, 1762041600, 1762041600.0, True])
async def test_every_body_with_a_time_refuses_other_values(served: Served, text: object) -> None:
    for method, path, body in BODIES:
        content = json.dumps(body).replace('"TEXT"', json.dumps(text))
        headers = {"content-type": "application/json"}
        answer = await served.client.request(method, path, content=content, headers=headers)
        assert answer.status_code == 422, (path, body, answer.text)


def test_every_schema_of_a_body_with_a_time_is_tried(served_document: dict[str, Any]) -> None:
    components = served_document["components"]["schemas"]

    def fields(schema: dict[str, Any], seen: frozenset[str] = frozenset()) -> Iterator[str]:
        for name in {
            part.rpartition("/")[2] for part in json.dumps(schema).split('"') if part.startswith("#/components/schemas/")
        }:
            if name not in seen:
                yield from fields(components[name], seen | {name})
        for name, field in schema.get("properties", {}).items():
            if '"format": "date' in json.dumps(field):
                yield name

    timed_fields = {
        (path, field)
        for path, operations in served_document["paths"].items()
        for method, operation in operations.items()
        if method in ("post", "put", "patch") and "requestBody" in operation
        for content in operation["requestBody"]["content"].values()
        for field in fields(content["schema"])
    }
    assert timed_fields == {
        ("/v2/admin/keys", "expires_at"),
        ("/v2/admin/flags/{name}", "start"),
        ("/v2/admin/flags/{name}", "end"),
        *(("/v2/curves/build", name) for name in ("trade_date", "from", "to", "as_of", "as_loaded")),
        *(("/v2/curves/build", name) for name in ("first", "end")),  # of a receipt, which answers with what it was sent
        *(("/v2/curves/explain", name) for name in ("a", "b", "as_of_a", "as_of_b", "as_loaded")),
        *(("/v2/curves/spread", name) for name in ("trade_date", "from", "to", "as_of", "as_loaded")),
        ("/v2/curves/derived", "from"),
        *(("/v2/curves/{key}/shape", name) for name in ("from", "to", "as_of")),
    }


def test_flags_have_the_grammar_of_the_core() -> None:
    """Compare the two, because the package of flags may not import the core."""
    assert _INSTANT.pattern == MOMENT_PATTERN
    read = FlagDocument.model_validate({"schedule": {"start": "2025-11-02t14:00+05:00"}})
    assert read.schedule is not None
    assert read.schedule.start is not None
    assert read.schedule.start.isoformat() == "2025-11-02T14:00:00+05:00"
